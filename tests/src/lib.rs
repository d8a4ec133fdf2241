//! What journeys, faults and load are built from: the built program, and clients of its gateway.

mod client;
pub mod dynamic;
pub mod entries;
mod program;
mod served;

pub use client::{Clients, Connection, Gateway, Pairing};
pub use program::{Instance, Program, SAMPLE, memory_kib, output, run, run_into};
pub use served::Served;
