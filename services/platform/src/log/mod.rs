//! The event log of a service: audit trail, outbox and source of every rebuild.

mod append;
mod chain;
mod gauges;
mod link;
mod publish;
mod publisher;
mod read;
mod relay;
mod sequence;
mod service;
#[cfg(test)]
mod tests;

pub use append::{NewEvent, append};
pub use chain::{ChainBroken, Verified, verify};
pub(crate) use link::{Content, link};
pub(crate) use publish::{MESSAGE_BYTES, unescaped};
pub use publish::{stream_config, stream_name, subject, subjects};
pub use read::{Head, begin_epoch, head, read};
pub use relay::Relay;

pub use crate::worker::Wake as RelayWake;
pub use service::LogReader;
