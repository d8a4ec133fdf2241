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

pub use append::{NewEvent, append};
pub use chain::{ChainBroken, Verified, verify};
pub(crate) use link::{Content, link};
pub(crate) use publish::{MESSAGE_BYTES, unescaped};
pub use publish::{stream_config, stream_name, subject, subjects};
pub use read::{Head, begin_epoch, head, read};
pub use relay::Relay;
#[cfg(any(test, feature = "testing"))]
pub use sequence::number_waiting;

pub use crate::worker::Wake as RelayWake;
pub use service::LogReader;
