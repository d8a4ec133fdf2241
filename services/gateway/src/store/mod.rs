//! The only SQL: facts, their roll-ups, and what a scorecard reads of them.

pub mod facts;
pub mod rollups;
pub(crate) mod scorecards;
