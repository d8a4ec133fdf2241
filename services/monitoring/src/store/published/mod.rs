//! What happened, as the contract's events: one file for each aggregate.

pub mod counts;
pub mod signals;
pub mod villages;
