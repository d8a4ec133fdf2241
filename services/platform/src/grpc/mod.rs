//! The gRPC server of every service: limits, health, reflection, and the door that each
//! request comes through.

mod admit;
mod answers;
mod arrival;
mod bounded;
mod client;
mod config;
mod connections;
mod door;
mod endpoint;
mod incoming;
mod inward;
mod method;
mod named;
mod network;
mod places;
mod punctual;
mod refusals;
mod server;
mod shed;
mod status;
mod stream;
mod threshold;
mod tls;
mod told;

pub use answers::{Answering, Answers, Reply, answers};
pub use arrival::{Pace, Unpacked, Working};
pub use bounded::{STATUS_BYTES, bounded};
pub use client::{ConnectError, TlsConfig, channel, public_channel, secure_channel, secure_stream_channel};
pub use config::{GrpcConfig, OutOfRange};
pub use door::{Door, Guarded};
pub use endpoint::Endpoint;
pub use method::MethodPath;
pub use network::{Network, NotANetwork};
pub use punctual::StatedTime;
pub use server::{Edge, Server, ServerError};
pub use tls::{ServerTlsConfig, TlsError};
pub use told::{late, method_unknown, too_late};
