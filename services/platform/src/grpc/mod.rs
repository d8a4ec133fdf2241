//! The gRPC server of every service: limits, health, reflection, and the door that each
//! request comes through.

mod admit;
mod door;
mod server;
mod stream;
#[cfg(test)]
mod tests;

pub use door::{Door, Guarded, MethodPath};
pub use server::{Edge, GrpcConfig, Server, ServerError, channel};
