//! What a running `tongxin up` tells other programs about itself: `up.json` in its data folder.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tongxin_platform::{service::App, whole_file};

use crate::place::Place;

/// Where `up` keeps its data unless told otherwise.
pub const DATA_DIR: &str = ".tongxin";

/// A running `up`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    /// Process id.
    pub pid: u32,
    /// The gateway, gRPC and JSON.
    pub gateway: String,
    /// The CA that signed its certificate, if it speaks TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The gateway's admin port.
    pub gateway_admin: String,
    /// The file with a token for the gateway.
    pub token_file: PathBuf,
    /// The file with a token of an operator for the whole country, for the register.
    pub operator_token_file: PathBuf,
    /// The other services.
    pub services: BTreeMap<String, Addresses>,
    /// Databases of all services, for the role that services log in as.
    pub databases: BTreeMap<String, String>,
    /// The same for the role that owns the tables.
    pub owner_databases: BTreeMap<String, String>,
}

/// Where a service listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// gRPC.
    pub grpc: String,
    /// Admin port.
    pub admin: String,
}

impl Addresses {
    /// Those of a service that listens.
    pub fn of(app: &App) -> Self {
        let at = |address| format!("http://{address}");
        Self { grpc: at(app.grpc), admin: at(app.admin) }
    }
}

impl Instance {
    /// Where its gateway is.
    pub fn place(&self) -> Place {
        Place { address: self.gateway.clone(), ca_file: self.ca_file.clone() }
    }

    /// Reads what the `up` on a data folder says.
    pub fn find(data_dir: &Path) -> Result<Self> {
        let path = file(data_dir);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "nothing runs on the data folder {}: start it with `tongxin up --data-dir {}`, or name another \
                 folder with --data-dir",
                data_dir.display(),
                data_dir.display()
            ),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let instance: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read: restart `tongxin up`", path.display()))?;
        let Self { pid, .. } = instance;
        ensure!(
            Path::new(&format!("/proc/{pid}")).exists(),
            "the `tongxin up` on the data folder {} was killed (process {pid}): start it again, nothing is lost",
            data_dir.display()
        );
        Ok(instance)
    }

    /// Lets other programs find this one.
    pub fn publish(&self, data_dir: &Path) -> Result<()> {
        write_private(&file(data_dir), &serde_json::to_string_pretty(self)?)
    }

    /// Takes the announcement back.
    pub fn withdraw(data_dir: &Path) {
        // A file that stays names a process that is gone, which its readers are told.
        let _ = fs::remove_file(file(data_dir));
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("up.json")
}

/// Replaces a file as a whole by one that only we may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    whole_file::write(path, 0o600, format!("{text}\n").as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}
