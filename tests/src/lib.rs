//! What journeys, faults and load are built from: the built program, and clients of its gateway.

pub mod attacks;
mod client;
pub mod dynamic;
pub mod entries;
mod instance;
mod program;
pub mod raw;
mod served;
pub mod statements;
pub mod wrong;

pub use client::{Clients, Connection, Gateway, Pairing};
pub use instance::Instance;
pub use program::{Program, SAMPLE, memory_kib, output, run, run_into, run_without_authorities};
pub use served::Served;
