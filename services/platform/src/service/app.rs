//! A service that listens.

use std::{collections::BTreeMap, net::SocketAddr, pin::Pin};

use tokio_util::sync::CancellationToken;

use crate::{admin::Admin, consumer::Progress, grpc::Server, lifecycle::Lifecycle, log::Relay};

/// What a service does besides answering, until it is told to stop.
pub(super) type Part = Box<dyn FnOnce(CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A service that listens, and serves once it is [`start`](Self::start)ed. The program and tests build the same.
pub struct App {
    /// Where its gRPC server listens.
    pub grpc: SocketAddr,
    /// Where its admin port listens.
    pub admin: SocketAddr,
    /// How far it follows others, by their names; stays valid while it runs.
    pub progress: BTreeMap<&'static str, Progress>,
    pub(super) servers: (Server, Admin),
    pub(super) relay: Relay,
    pub(super) parts: Vec<(&'static str, Part)>,
}

impl App {
    /// Serves, follows and works, as parts of a lifecycle.
    pub fn start(self, lifecycle: &mut Lifecycle) {
        let stop = lifecycle.stop_token();
        let (server, admin) = self.servers;
        lifecycle.start("the gRPC server", server.run(stop.clone()));
        lifecycle.start("the admin port", admin.run(stop.clone()));
        let relay = self.relay;
        lifecycle.run("the relay", relay.run(stop.clone()));
        for (name, part) in self.parts {
            lifecycle.run(name, part(stop.clone()));
        }
    }
}
