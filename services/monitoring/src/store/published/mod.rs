//! What happened, as the contract's events: one file for each aggregate.

pub mod observations;
pub mod rules;
