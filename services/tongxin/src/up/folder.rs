//! The databases in a data folder, whether `up` runs on it or not.

use std::path::Path;

use anyhow::Result;
use tongxin_platform::service::Kind;
use tongxin_servers::{Postgres, ServersConfig};

use super::databases;
use crate::instance::Instance;

/// The databases of a data folder, which can be reached until this ends.
pub struct Folder(Reached);

enum Reached {
    Running(Box<Instance>),
    /// By a Postgres of our own.
    Stopped(Postgres),
}

impl Folder {
    /// Finds who runs on the folder, or starts the Postgres in it.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        match Instance::find(data_dir) {
            Ok(instance) => return Ok(Self(Reached::Running(Box::new(instance)))),
            // There never was one, or somebody meant another folder.
            Err(error) if !data_dir.join("postgres").exists() => return Err(error),
            Err(_) => {}
        }
        Ok(Self(Reached::Stopped(Postgres::start(&ServersConfig::new(data_dir)).await?)))
    }

    /// The URL of a service's database, for the role that services log in as.
    pub fn app_url(&self, kind: &Kind) -> Option<String> {
        match &self.0 {
            Reached::Running(instance) => instance.databases.get(kind.name).cloned(),
            Reached::Stopped(postgres) => Some(databases::app_url(postgres, kind)),
        }
    }

    /// The same, for the role that owns the tables.
    pub fn owner_url(&self, kind: &Kind) -> Option<String> {
        match &self.0 {
            Reached::Running(instance) => instance.owner_databases.get(kind.name).cloned(),
            Reached::Stopped(postgres) => Some(databases::owner_url(postgres, kind)),
        }
    }

    /// Leaves the folder as it was found: running or not.
    pub async fn close(self) {
        if let Reached::Stopped(postgres) = self.0 {
            postgres.stop().await;
        }
    }
}
