//! Keeps a token in a file, so that users who can read the data folder can call the gateway.

use std::{io, path::PathBuf, time::Duration};

use anyhow::Result;
use tokio_util::sync::CancellationToken;
use tongxin_platform::{
    access::{LocalKey, TokenRequest},
    clock::Clock,
    error::chain,
};

use crate::instance::write_private;

const LIFETIME: Duration = Duration::from_hours(24);
const RENEW_EVERY: Duration = Duration::from_hours(1);

/// A file whose token is always valid.
pub struct TokenFile {
    pub path: PathBuf,
    key: LocalKey,
    request: TokenRequest,
    clock: Clock,
}

impl TokenFile {
    /// The file is written by the first [`renew`](Self::renew).
    pub fn new(path: PathBuf, key: LocalKey, request: TokenRequest, clock: Clock) -> Self {
        Self { path, key, request: TokenRequest { lifetime: LIFETIME, ..request }, clock }
    }

    pub fn renew(&self) -> Result<()> {
        write_private(&self.path, &self.key.sign(&self.request, &self.clock)?)
    }

    /// Renews it long before it expires, until stopped.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        while stop.run_until_cancelled(tokio::time::sleep(RENEW_EVERY)).await.is_some() {
            if let Err(error) = self.renew() {
                tracing::error!(error = chain(error.as_ref()), "the token file is not renewed");
            }
        }
        Ok(())
    }
}
