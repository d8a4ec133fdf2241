//! Domain events as the contract's messages: one file for each aggregate.

pub mod cases;
pub mod counts;
pub mod disclosures;
pub mod households;
pub mod observations;
pub mod rules;
pub mod signals;
pub mod villages;
