//! The databases in a data folder, whether `up` runs on it or not.

use std::path::Path;

use anyhow::Result;
use tongxin_platform::service::Kind;
use tongxin_servers::{Postgres, ServersConfig};

use super::databases;
use crate::instance::Instance;

/// The databases of a data folder, available until it is closed.
pub struct Folder(Reached);

enum Reached {
    Running(Box<Instance>),
    /// With a Postgres that we started.
    Stopped(Postgres),
}

impl Folder {
    /// Finds the `up` that runs on the folder, or starts its Postgres.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        match Instance::find(data_dir) {
            Ok(instance) => return Ok(Self(Reached::Running(Box::new(instance)))),
            // Never used, or the wrong folder.
            Err(error) if !data_dir.join("postgres").exists() => return Err(error),
            Err(_) => {}
        }
        Ok(Self(Reached::Stopped(Postgres::start(&ServersConfig::new(data_dir)).await?)))
    }

    /// For the role of services.
    pub fn app_url(&self, kind: &Kind) -> Option<String> {
        match &self.0 {
            Reached::Running(instance) => instance.databases.get(kind.name).cloned(),
            Reached::Stopped(postgres) => Some(databases::app_url(postgres, kind)),
        }
    }

    /// For the role that owns the tables.
    pub fn owner_url(&self, kind: &Kind) -> Option<String> {
        match &self.0 {
            Reached::Running(instance) => instance.owner_databases.get(kind.name).cloned(),
            Reached::Stopped(postgres) => Some(databases::owner_url(postgres, kind)),
        }
    }

    /// Leaves the folder as it was: running or not.
    pub async fn close(self) {
        if let Reached::Stopped(postgres) = self.0 {
            postgres.stop().await;
        }
    }
}
