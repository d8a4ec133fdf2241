//! Where a running program is.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// What `up.json` says of a running `tongxin up`.
#[derive(Debug, Clone, Deserialize)]
pub struct Instance {
    /// Process id.
    pub pid: u32,
    /// The gateway, gRPC and JSON.
    pub gateway: String,
    /// The CA of its certificate, if it speaks TLS.
    pub ca_file: Option<PathBuf>,
    /// The gateway's admin port.
    pub gateway_admin: String,
    /// The file with a token for the gateway.
    pub token_file: PathBuf,
    /// The file with a token of an operator for the whole country.
    pub operator_token_file: PathBuf,
    /// The other services.
    pub services: BTreeMap<String, Addresses>,
    /// Databases, for the role that services log in as.
    pub databases: BTreeMap<String, String>,
}

/// Where a service listens.
#[derive(Debug, Clone, Deserialize)]
pub struct Addresses {
    /// gRPC.
    pub grpc: String,
    /// Admin port.
    pub admin: String,
}
