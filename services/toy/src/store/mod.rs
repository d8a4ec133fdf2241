//! The only SQL: one file for each table.

pub mod regions;
pub mod tallies;
