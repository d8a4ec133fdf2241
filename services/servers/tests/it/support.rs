//! What the tests share: folders, processes, and whether a server answers.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::{
    io::AsyncBufReadExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};
use tongxin_servers::{Nats, Postgres, State};

/// A folder that Postgres's user can reach, on which a server can be started many times.
pub fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    folder
}

pub fn pid(state: State) -> u32 {
    state.pid().expect("the server should be up")
}

pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// What has ended, but that nobody waited for, has no command line.
pub fn is_alive(pid: u32) -> bool {
    !arguments(pid).is_empty()
}

/// The command line of a process.
pub fn arguments(pid: u32) -> Vec<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split_terminator('\0').map(str::to_owned).collect()
}

/// Waits until something is so.
pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(Duration::from_secs(10), waiting).await.is_ok(), "not within ten seconds: {what}");
}

pub async fn url_answers(url: &str) -> bool {
    match PgConnection::connect(url).await {
        Ok(conn) => conn.close().await.is_ok(),
        Err(_) => false,
    }
}

pub async fn postgres_answers(postgres: &Postgres) -> bool {
    url_answers(&postgres.url("postgres")).await
}

pub async fn nats_answers(nats: &Nats) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", nats.port())).await else {
        return false;
    };
    let mut line = String::new();
    let read = tokio::io::BufReader::new(stream).read_line(&mut line).await;
    read.is_ok() && line.starts_with("INFO")
}

/// A program that is run by the owner of a folder, as Postgres is by that of its cluster, and outlives us.
pub fn as_owner_of(folder: &Path, program: &[String]) -> tokio::process::Command {
    let owner = fs::metadata(folder).unwrap();
    let mut command = tokio::process::Command::new("setpriv");
    if owner.uid() != rustix::process::geteuid().as_raw() {
        command.args([format!("--reuid={}", owner.uid()), format!("--regid={}", owner.gid())]).arg("--clear-groups");
    }
    command.arg("--").args(program).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Another process that has the servers.
pub struct Owner {
    process: Child,
    pub folder: PathBuf,
    /// Of Postgres and NATS.
    pub pids: [u32; 2],
}

impl Owner {
    /// On a folder, or on a temporary one.
    pub fn start(folder: Option<&Path>) -> Self {
        let mut process = Self::command();
        let mut process = process.args(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let mut told = |what: &str| {
            let line = lines.next().expect("it should start").unwrap();
            line.strip_prefix(what).expect("it says this next").trim().to_owned()
        };
        let folder = told("folder").into();
        let pids = [told("pid"), told("pid")].map(|pid| pid.parse().unwrap());
        Self { process, folder, pids }
    }

    pub fn command() -> Command {
        Command::new(env!("CARGO_BIN_EXE_servers-owner"))
    }

    /// Lets it end without stopping its servers.
    pub fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
