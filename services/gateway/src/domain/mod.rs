//! The rules: the indicators, and how figures are computed from facts.

pub mod fact;
pub mod indicators;
pub mod scorecard;
