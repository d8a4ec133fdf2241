//! A private Postgres and NATS as child processes: for `tongxin up`, and for tests.
//!
//! | file | |
//! |---|---|
//! | `folder`    | the data folder, and who has it |
//! | `binaries`  | where the programs are, and whether they are new enough |
//! | `user`      | who runs Postgres when we are root |
//! | `leftovers` | what a killed run left running |
//! | `keeper`    | keeps a program running, in a thread of its own |
//! | `child`     | how a process is started and ended |
//! | `cluster`   | the folders of Postgres, where its user can reach them |
//! | `postgres`, `nats` | the two programs |
//!
//! What a data folder holds: `lock` (locked by its owner, who wrote its process id into it),
//! `postgres/` (the database cluster, or a link to it), `run/` (Postgres's socket), `nats/` (the stream
//! store), `nats.conf`, `nats.port`, a password file of each user of NATS, and a log of each program. Nobody else may read any of it.

mod binaries;
mod child;
mod cluster;
mod error;
mod folder;
mod keeper;
mod leftovers;
mod nats;
mod postgres;
#[cfg(test)]
mod tests;
mod user;

use std::path::PathBuf;
use std::sync::Arc;

pub use error::ServersError;
pub use keeper::State;
pub use nats::Nats;
pub use postgres::Postgres;

use crate::broker::BrokerUser;
use folder::DataFolder;

/// Where the servers keep their data, and where their programs are.
#[derive(Debug, Clone)]
pub struct ServersConfig {
    /// Made when it is not there.
    pub data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`. Otherwise they are looked for on the `PATH` and
    /// where Debian puts them.
    pub postgres_bin_dir: Option<PathBuf>,
    /// Otherwise it is looked for in `.tools/bin` of this folder and those above, and on the `PATH`.
    pub nats_server: Option<PathBuf>,
    /// Who may log in at NATS, each with a password file of its own; without any there is one user who may do everything.
    pub nats_users: Vec<BrokerUser>,
}

impl ServersConfig {
    /// With the programs of this machine.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), postgres_bin_dir: None, nats_server: None, nats_users: Vec::new() }
    }
}

/// Both servers, on one data folder.
///
/// Dropping them stops them at once and waits for it; [`Servers::stop`] lets them finish.
#[derive(Debug)]
pub struct Servers {
    postgres: Postgres,
    nats: Nats,
}

impl Servers {
    /// Starts both and returns when both answer.
    ///
    /// # Errors
    /// When the folder is in use, a program is missing, or a server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    /// Starts both on a folder that is removed in the end, and without waiting for the disk.
    ///
    /// # Errors
    /// When a program is missing, or a server does not start.
    pub async fn temporary() -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::temporary()?);
        Self::start_in(&folder, &ServersConfig::new(folder.path())).await
    }

    async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
        let (postgres, nats) = tokio::try_join!(Postgres::start_in(folder, config), Nats::start_in(folder, config),)?;
        Ok(Self { postgres, nats })
    }

    /// The one that keeps.
    #[must_use]
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The one that delivers.
    #[must_use]
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Stops both, NATS first: nobody needs the cache when the log is about to go.
    pub async fn stop(self) {
        self.nats.stop().await;
        self.postgres.stop().await;
    }
}
