//! Why a service does not start.

use std::net::SocketAddr;

use crate::{
    access::KeyError,
    broker::BrokerError,
    db::{DbError, SchemaBehind},
    grpc::{ConnectError, ServerError},
    request::RequestKeyError,
};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Its schema is not up to date.
    #[error(transparent)]
    Schema(#[from] SchemaBehind),
    /// Its gRPC server cannot be set up.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Its admin port cannot be had.
    #[error("cannot listen on the admin port {0}: is another program using it?")]
    Admin(SocketAddr, #[source] std::io::Error),
    /// The system does not tell which ports it gave.
    #[error("the system does not say where the service listens")]
    Address(#[from] std::io::Error),
    /// What the service does before it listens failed.
    #[error("the service cannot be prepared")]
    Preparation(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key of requests cannot be used.
    #[error(transparent)]
    RequestKey(#[from] RequestKeyError),
    /// The broker's settings cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Another service cannot be connected to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl StartError {
    /// What the service does before it listens failed.
    pub fn preparing(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Preparation(error.into())
    }
}

impl From<sqlx::Error> for StartError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
