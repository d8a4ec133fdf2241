//! Permissions at the broker: each service is a user of its own.
//!
//! Consumers do not trust the broker, whoever published. These permissions only keep one service from disturbing
//! others: from filling their streams, deleting them, or taking their consumers' messages.

use crate::log::{stream_name, subjects};

/// A service as a user of the broker, with the subjects that it may use; all others are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUser {
    /// The service's name.
    pub name: String,
    /// Subjects that it may publish on.
    pub publish: Vec<String>,
    /// Subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

impl BrokerUser {
    /// A service that publishes its events and follows those of some others.
    #[must_use]
    pub fn of_service(service: &str, follows: &[&str]) -> Self {
        let own = stream_name(service);
        let mut publish =
            vec![subjects(service), format!("$JS.API.STREAM.CREATE.{own}"), format!("$JS.API.STREAM.UPDATE.{own}")];
        for source in follows {
            let (stream, consumer) = (stream_name(source), durable_name(service, source));
            for verb in ["INFO", "CREATE", "DELETE", "MSG.NEXT"] {
                publish.push(format!("$JS.API.CONSUMER.{verb}.{stream}.{consumer}"));
            }
            publish.push(format!("$JS.ACK.{stream}.{consumer}.>"));
            // With domain and account in front, as newer servers name it.
            publish.push(format!("$JS.ACK.*.*.{stream}.{consumer}.>"));
        }
        Self { name: service.to_owned(), publish, subscribe: vec![format!("{}.>", inbox_prefix(service))] }
    }
}

/// Name of the durable consumer that a service has on the stream of a source.
pub(crate) fn durable_name(service: &str, source: &str) -> String {
    format!("{service}-{source}")
}

/// Prefix of the inboxes of a service, which no other service may read.
pub(super) fn inbox_prefix(service: &str) -> String {
    format!("_INBOX_{service}")
}
