//! The only SQL: facts, their roll-ups, and the queries of scorecards.

pub mod facts;
pub mod rollups;
pub(crate) mod scorecards;
