//! The admin port: liveness, readiness and metrics.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Named conditions for a service to be ready.
#[derive(Clone, Default)]
pub struct Readiness(Vec<(&'static str, Check)>);

impl Readiness {
    /// Adds a check, which returns what is wrong.
    pub fn add<F, Checked>(&mut self, name: &'static str, check: F)
    where
        F: Fn() -> Checked + Send + Sync + 'static,
        Checked: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.0.push((name, Arc::new(move || Box::pin(check()))));
    }

    /// Runs all checks.
    ///
    /// # Errors
    /// What is wrong, one line each.
    pub async fn check(&self) -> Result<(), String> {
        let mut faults = Vec::new();
        for (name, check) in &self.0 {
            if let Err(fault) = check().await {
                faults.push(format!("{name}: {fault}\n"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.concat()) }
    }
}

/// An admin port that listens, and serves once it [`run`](Self::run)s.
pub struct Admin {
    listener: TcpListener,
    readiness: Readiness,
    registry: Registry,
}

#[derive(Clone)]
struct Shown {
    readiness: Readiness,
    registry: Registry,
    stop: CancellationToken,
}

impl Admin {
    /// Listens on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address is taken.
    pub async fn bind(listen: SocketAddr, readiness: Readiness, registry: Registry) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(listen).await?, readiness, registry })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop; not ready from then on.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self, stop: CancellationToken) -> std::io::Result<()> {
        let shown = Shown { readiness: self.readiness, registry: self.registry, stop: stop.clone() };
        let router = Router::new()
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(shown);
        axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
    }
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    if shown.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match shown.readiness.check().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(faults) => (StatusCode::SERVICE_UNAVAILABLE, faults),
    }
}

async fn metrics(State(shown): State<Shown>) -> impl IntoResponse {
    ([("content-type", "text/plain; version=0.0.4")], telemetry::render(&shown.registry))
}
