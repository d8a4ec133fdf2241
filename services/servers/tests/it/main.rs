//! The servers are killed, starved of their data and left behind, and must be there again.

mod faults;
mod owners;
mod places;
mod programs;
mod support;
