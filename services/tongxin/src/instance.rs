//! `up.json` in the data folder, by which other commands find a running `tongxin up`.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tongxin_platform::{service::App, whole_file};

use crate::{lang::told, place::Place};

/// The default data folder of `up`.
pub const DATA_DIR: &str = ".tongxin";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    pub pid: u32,
    /// Address for gRPC and JSON.
    pub gateway: String,
    /// The CA that signed its certificate, if it uses TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Address of the gateway's admin port.
    pub gateway_admin: String,
    pub token_file: PathBuf,
    /// File with a token of an operator for the whole country, for the register.
    pub operator_token_file: PathBuf,
    /// All services but the gateway.
    pub services: BTreeMap<String, Addresses>,
    /// URLs for the role that services log in as.
    pub databases: BTreeMap<String, String>,
    /// URLs for the role that owns the tables.
    pub owner_databases: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    pub grpc: String,
    pub admin: String,
}

impl Addresses {
    pub fn of(app: &App) -> Self {
        let at = |address| format!("http://{address}");
        Self { grpc: at(app.grpc), admin: at(app.admin) }
    }
}

impl Instance {
    pub fn place(&self) -> Place {
        Place { address: self.gateway.clone(), ca_file: self.ca_file.clone() }
    }

    /// Reads the file of the `up` on a data folder.
    pub fn find(data_dir: &Path) -> Result<Self> {
        let (path, folder) = (file(data_dir), data_dir.display());
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(told!(
                "nothing runs on the data folder {folder}: start it with `tongxin up --data-dir {folder}`, or name \
                 another folder with --data-dir",
                "数据文件夹 {folder} 没有在运行：请用 `tongxin up --data-dir {folder}` 启动，或用 --data-dir 指定其他文件夹"
            )),
            read => read.with_context(|| told!("cannot read {}", "无法读取 {}", path.display()))?,
        };
        let instance: Self = serde_json::from_str(&text).with_context(|| {
            told!("{} cannot be read: restart `tongxin up`", "{} 的内容读不懂：请重新启动 `tongxin up`", path.display())
        })?;
        let Self { pid, .. } = instance;
        ensure!(
            Path::new(&format!("/proc/{pid}")).exists(),
            told!(
                "the `tongxin up` on the data folder {folder} was killed (process {pid}): start it again, nothing is lost",
                "数据文件夹 {folder} 的 `tongxin up` 被强行结束了（进程 {pid}）：请重新启动，数据没有丢失"
            )
        );
        Ok(instance)
    }

    /// Writes the file.
    pub fn publish(&self, data_dir: &Path) -> Result<()> {
        write_private(&file(data_dir), &serde_json::to_string_pretty(self)?)
    }

    /// Removes the file.
    pub fn withdraw(data_dir: &Path) {
        // A remaining file names a process that no longer exists, which its readers notice.
        let _ = fs::remove_file(file(data_dir));
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("up.json")
}

/// Atomically replaces a file by one that only we can read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    whole_file::write(path, 0o600, format!("{text}\n").as_bytes())
        .with_context(|| told!("cannot write {}", "无法写入 {}", path.display()))
}
