//! The only SQL: facts, their roll-ups, regions, and what a scorecard reads of them.

pub mod facts;
pub(crate) mod regions;
pub mod rollups;
pub(crate) mod scorecards;
