//! The rules: no I/O.

pub mod tally;
