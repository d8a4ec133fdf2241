//! The settings of a service, as an operator would write them for this machine.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use anyhow::Result;
use serde_json::json;
use tongxin_platform::{
    config::Sections,
    grpc::GrpcConfig,
    service::{Follows, Kind, Needs},
};

use super::{certificates::Certificates, keys};
use crate::{instance::Addresses, services::GATEWAY};

/// Addresses and resources of a service.
pub struct Place<'place> {
    pub database_url: String,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
    pub limits: &'place GrpcConfig,
    /// The certificate for outside callers.
    pub tls: Option<&'place Certificates>,
    /// For keys.
    pub data_dir: &'place Path,
    /// The services that run already.
    pub running: &'place BTreeMap<String, Addresses>,
}

impl Place<'_> {
    pub fn settings(self, kind: &Kind) -> Result<Sections> {
        let Self { database_url, grpc, admin, limits, tls, data_dir, running } = self;
        let is_gateway = kind.name == GATEWAY.name;
        let tls = tls.filter(|_| is_gateway).map(|tls| tls.server.clone());
        let mut section = json!({
            "database": { "url": database_url },
            "grpc": GrpcConfig { listen: grpc, tls, ..limits.clone() },
            "admin": { "listen": admin },
        });
        if is_gateway {
            // A browser would apply it to every other server on this machine, too.
            section["hsts_seconds"] = json!(0);
        }
        let Needs { request_keys, personal_keys } = kind.needs;
        if request_keys {
            section["request_key_files"] = json!(keys::of_requests(data_dir, kind.name)?);
        }
        if personal_keys {
            section["personal"] = json!(keys::of_personal_data(data_dir)?);
        }
        match kind.follows {
            Follows::These(sources) => {
                for source in sources {
                    section[source] = json!(running.get(*source).map(|at| &at.grpc));
                }
            }
            Follows::Others => {
                let addresses: BTreeMap<_, _> = running.iter().map(|(name, at)| (name, &at.grpc)).collect();
                section["upstreams"] = json!(addresses);
            }
        }
        Ok(Sections::of_json(json!({ kind.name: section }))?)
    }
}
