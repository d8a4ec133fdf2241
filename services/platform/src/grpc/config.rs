//! Settings of a gRPC server.

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{network::Network, tls::ServerTlsConfig};

/// Limits of a gRPC server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct GrpcConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key for TLS; without them the port speaks none.
    pub tls: Option<ServerTlsConfig>,
    /// Maximum number of unary requests at once; more are answered `UNAVAILABLE: OVERLOADED` at once. Streams, readers
    /// of the log and requests without a token are counted apart.
    pub max_requests: usize,
    /// Maximum number of streaming requests at once.
    pub max_streaming_requests: usize,
    /// Maximum number of requests of log readers at once.
    pub max_log_requests: usize,
    /// Percent of each kind of places, and of `max_body_bytes`, that one subject may have at once; beyond it, requests
    /// are answered `UNAVAILABLE: SHARE_EXHAUSTED` at once.
    pub subject_share_percent: u32,
    /// The same for subjects (`issuer|subject`), or for each subject with a role, that need another share: for example
    /// systems that call for many people.
    pub shares: BTreeMap<String, u32>,
    /// Maximum number of connections. One more replaces the one that has not called for longest; connections without an
    /// admitted call have half of the places at most.
    pub max_connections: usize,
    /// Seconds that a connection may stay without an admitted call.
    pub idle_seconds: u64,
    /// Seconds after which a connection is asked to end. Its calls go on to their ends, and its client makes another
    /// one.
    pub max_connection_seconds: u64,
    /// Calls of a connection that its client may cancel within half a minute; one more closes it. 0: no limit, as a
    /// gateway needs that passes its callers' cancellations on. The gateway's own default is 512.
    pub max_given_up: u32,
    /// Connections at once from one address, and, behind a trusted proxy, requests at once for one; 0: no limit.
    pub max_per_address: usize,
    /// Networks, such as `10.0.0.0/8`, of proxies whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Maximum number of concurrent requests on one connection.
    pub max_streams: u32,
    /// Seconds until a unary request times out.
    pub timeout_seconds: u64,
    /// Seconds until a streaming request times out, as a whole.
    pub stream_timeout_seconds: u64,
    /// Seconds that a caller may stall: send nothing of a body that we read, or take nothing of a stream that we send.
    pub stall_seconds: u64,
    /// Seconds within which a response that does not stream has to be taken whole.
    pub send_seconds: u64,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
    /// Bytes of messages at once that are being read or processed; more is answered `RESOURCE_EXHAUSTED`.
    pub max_body_bytes: usize,
    /// Whether HTTP/1 is served as well, which gRPC itself does not use.
    pub accept_http1: bool,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            max_requests: 512,
            max_streaming_requests: 256,
            max_log_requests: 64,
            subject_share_percent: 25,
            shares: BTreeMap::from([("system".to_owned(), 50)]),
            max_connections: 1024,
            idle_seconds: 30,
            max_connection_seconds: 3_600,
            max_given_up: 0,
            max_per_address: 0,
            trusted_proxies: Vec::new(),
            max_streams: 256,
            timeout_seconds: 30,
            stream_timeout_seconds: 600,
            stall_seconds: 30,
            send_seconds: 120,
            max_message_bytes: 4 << 20,
            max_body_bytes: 128 << 20,
            accept_http1: false,
        }
    }
}

impl<'de> Deserialize<'de> for GrpcConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = Self::deserialize(deserializer)?;
        config.check().map_err(D::Error::custom)?;
        Ok(config)
    }
}

impl Serialize for GrpcConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// A number that is out of range for its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("grpc.{setting} is {found}: it has to be from {least} to {most}")]
pub struct OutOfRange {
    setting: String,
    found: u64,
    least: u64,
    most: u64,
}

/// Seconds of a day, and of the longest time that a connection may stay.
const DAY: u64 = 24 * 3_600;
const YEAR: u64 = 365 * DAY;

/// More places, or bytes of a message and of all of them, than any machine can use.
const PLACES: u64 = 1_000_000;
const MESSAGE: u64 = 1 << 30;
const BODIES: u64 = 1 << 40;

impl GrpcConfig {
    /// Checks that every number is in range.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut numbers = vec![
            ("max_requests", wide(self.max_requests), 1, PLACES),
            ("max_streaming_requests", wide(self.max_streaming_requests), 1, PLACES),
            ("max_log_requests", wide(self.max_log_requests), 1, PLACES),
            ("subject_share_percent", self.subject_share_percent.into(), 1, 100),
            ("max_connections", wide(self.max_connections), 1, PLACES),
            ("idle_seconds", self.idle_seconds, 1, DAY),
            ("max_connection_seconds", self.max_connection_seconds, 1, YEAR),
            ("max_given_up", self.max_given_up.into(), 0, PLACES),
            ("max_per_address", wide(self.max_per_address), 0, PLACES),
            ("max_streams", self.max_streams.into(), 1, PLACES),
            ("timeout_seconds", self.timeout_seconds, 1, DAY),
            ("stream_timeout_seconds", self.stream_timeout_seconds, 1, DAY),
            ("stall_seconds", self.stall_seconds, 1, DAY),
            ("send_seconds", self.send_seconds, 1, DAY),
            ("max_message_bytes", wide(self.max_message_bytes), 1, MESSAGE),
            ("max_body_bytes", wide(self.max_body_bytes), 1, BODIES),
        ];
        if let Some(tls) = &self.tls {
            numbers.push(("tls.handshake_seconds", tls.handshake_seconds, 1, DAY));
            numbers.push(("tls.reload_seconds", tls.reload_seconds, 1, DAY));
        }
        let numbers = numbers.into_iter().map(|(name, found, least, most)| (name.to_owned(), found, least, most));
        let shares = self.shares.iter().map(|(who, share)| (format!("shares.{who}"), u64::from(*share), 1, 100));
        for (setting, found, least, most) in numbers.chain(shares) {
            if !(least..=most).contains(&found) {
                return Err(OutOfRange { setting, found, least, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sections;

    fn loaded(name: &str, value: &str) -> Result<GrpcConfig, String> {
        let variables = [(format!("TONGXIN__GRPC__{name}"), value.to_owned())];
        let config = Sections::read_within(None, Some(variables.into())).and_then(|sections| sections.get("grpc"));
        config.map(Option::unwrap).map_err(|error| crate::error::chain(&error))
    }

    #[test]
    fn numbers_that_no_server_can_work_with_are_refused_when_they_are_read() {
        for (name, value, range) in [
            ("TIMEOUT_SECONDS", "9223372036854775807", "from 1 to 86400"),
            ("TIMEOUT_SECONDS", "0", "from 1 to 86400"),
            ("MAX_REQUESTS", "0", "from 1 to 1000000"),
            ("MAX_CONNECTIONS", "0", "from 1 to 1000000"),
            ("MAX_MESSAGE_BYTES", "0", "from 1 to 1073741824"),
            ("MAX_BODY_BYTES", "0", "from 1 to 1099511627776"),
            ("SUBJECT_SHARE_PERCENT", "101", "from 1 to 100"),
            ("SHARES__system", "0", "from 1 to 100"),
        ] {
            let refused = loaded(name, value).unwrap_err();
            let setting = format!("grpc.{}", name.to_lowercase().replace("__", "."));
            assert!(refused.contains(&setting) && refused.contains(range), "{name}={value}: {refused}");
        }
        assert_eq!(loaded("TIMEOUT_SECONDS", "5").unwrap().timeout_seconds, 5);
        assert!(loaded("TIMEOUT_SECOND", "5").unwrap_err().contains("timeout_second"));
        assert_eq!(GrpcConfig::default().check(), Ok(()));
        let config = GrpcConfig { timeout_seconds: 7, ..GrpcConfig::default() };
        assert_eq!(serde_json::to_value(config).unwrap()["timeout_seconds"], 7);
    }
}
