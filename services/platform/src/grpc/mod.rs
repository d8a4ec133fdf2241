//! The gRPC server of every service: limits, health, reflection, and the door that each
//! request comes through.

mod admit;
mod bounded;
mod client;
mod door;
mod incoming;
mod refusals;
mod server;
mod stream;
#[cfg(test)]
mod tests;
mod too_large;

pub use bounded::{STATUS_BYTES, bounded};
pub use client::{ConnectError, TlsConfig, channel, secure_channel};
pub use door::{Door, Guarded, MethodPath};
pub use server::{Edge, GrpcConfig, Server, ServerError};
