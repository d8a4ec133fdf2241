//! The only SQL: one file for each table.

pub mod tallies;
