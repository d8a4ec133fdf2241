//! The rules: which indicators there are, and how figures follow from facts.

pub mod fact;
pub mod indicators;
pub mod scorecard;
