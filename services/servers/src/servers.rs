//! Both servers together.

use std::sync::Arc;

use crate::{config::ServersConfig, error::ServersError, folder::DataFolder, nats::Nats, postgres::Postgres};

/// Both servers, on one data folder.
///
/// Dropping them stops them immediately and waits for it; [`Servers::stop`] stops them gracefully.
#[derive(Debug)]
pub struct Servers {
    postgres: Postgres,
    nats: Nats,
}

impl Servers {
    /// Starts both and returns when both are ready.
    ///
    /// # Errors
    /// When the folder is in use, a program is missing, or a server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    /// Starts both on a folder that is removed at the end, without syncing to disk.
    ///
    /// # Errors
    /// When a program is missing, or a server does not start.
    pub async fn temporary() -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::temporary()?);
        Self::start_in(&folder, &ServersConfig::new(folder.path())).await
    }

    async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
        let (postgres, nats) = tokio::try_join!(Postgres::start_in(folder, config), Nats::start_in(folder, config))?;
        Ok(Self { postgres, nats })
    }

    /// The database server.
    #[must_use]
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The message broker.
    #[must_use]
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Stops both, NATS first: it only delivers what Postgres stores.
    pub async fn stop(self) {
        self.nats.stop().await;
        self.postgres.stop().await;
    }
}
