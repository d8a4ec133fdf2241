//! A service that a test runs.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

use crate::{
    consumer::Progress,
    grpc,
    lifecycle::Lifecycle,
    service::{App, Build, Shared},
};

/// What its requests have to finish in.
const GRACE: Duration = Duration::from_secs(10);

/// A service that runs until it is dropped.
pub struct Running {
    /// Where its gRPC server listens.
    pub grpc: SocketAddr,
    /// Where its admin port listens.
    pub admin: SocketAddr,
    /// How far it follows others, by their names.
    pub progress: BTreeMap<&'static str, Progress>,
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Running {
    /// Builds a service as the program does, and starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(settings: impl Build, shared: Shared) -> Self {
        Self::of(App::build(settings, shared).await.expect("the service starts"))
    }

    /// Starts a service that listens.
    ///
    /// # Panics
    /// Its own task does, when it does not stop in time.
    #[must_use]
    pub fn of(app: App) -> Self {
        let (grpc, admin, progress) = (app.grpc, app.admin, app.progress.clone());
        let mut lifecycle = Lifecycle::default();
        app.start(&mut lifecycle);
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move { lifecycle.run_until(told, GRACE).await.expect("the service stops") });
        Self { grpc, admin, progress, stop: stop.drop_guard(), task }
    }

    /// A connection to it, made when the first call needs it.
    ///
    /// # Panics
    /// Never: its address is one.
    #[must_use]
    pub fn channel(&self) -> Channel {
        grpc::channel(&format!("http://{}", self.grpc)).expect("an address")
    }

    /// Stops it, as SIGTERM does.
    ///
    /// # Panics
    /// When it does not stop in time.
    pub async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("it stops");
    }
}
