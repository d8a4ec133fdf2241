//! A child process: how it is started, where its output goes, how it is ended.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tracing::warn;

use super::{ServersError, user::User};
use crate::whole_file;

const LOG_LIMIT: u64 = 16 * 1024 * 1024;
const TAIL_LINES: usize = 15;

/// A command that gets `signal` when we die, even by kill -9, and that a Ctrl-C meant for us
/// does not reach.
///
/// It runs through `setpriv` because the calls that do this are unsafe in Rust.
pub(super) fn command(program: &Path, signal: &str, user: Option<&User>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if let Some(user) = user {
        command.arg("--reuid").arg(user.uid.to_string()).arg("--regid").arg(user.gid.to_string()).arg("--clear-groups");
    }
    // What is set around us (PGDATA, LANG, TZ) must not change what the program does.
    command
        .arg("--")
        .arg(program)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        .process_group(0);
    command
}

/// A `setpriv` that knows what we need of it (the one of busybox does not).
pub(super) async fn require_setpriv() -> Result<(), ServersError> {
    let status = command(Path::new("true"), "KILL", None).status().await;
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(ServersError::NoSetpriv) }
}

pub(super) fn spawn(mut command: Command, log: &Log) -> io::Result<Child> {
    command.stdin(Stdio::null()).stdout(log.file.try_clone()?).stderr(log.file.try_clone()?).kill_on_drop(true).spawn()
}

/// Ends it ever less politely, with the time given for each signal.
pub(super) async fn stop(child: &mut Child, farewell: &[(Signal, Duration)]) {
    for (signal, patience) in farewell {
        // No id means that it has ended and been waited for.
        let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else {
            return;
        };
        let _ = kill_process(pid, *signal);
        if timeout(*patience, child.wait()).await.is_ok() {
            return;
        }
    }
    warn!(pid = child.id(), "a server does not stop, killing it");
    let _ = child.kill().await;
}

/// The log of a program, and where this life's part of it begins.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    from: u64,
}

impl Log {
    pub fn open(path: &Path) -> Result<Self, ServersError> {
        let length = || fs::metadata(path).map_or(0, |metadata| metadata.len());
        let open = || whole_file::append(path).map_err(ServersError::io("open", path));
        let mut file = open()?;
        if length() > LOG_LIMIT && fs::rename(path, path.with_extension("log.1")).is_ok() {
            file = open()?;
        }
        Ok(Self { path: path.to_owned(), file, from: length() })
    }

    fn tail(&self) -> String {
        let content = fs::read(&self.path).unwrap_or_default();
        let from = usize::try_from(self.from).unwrap_or(usize::MAX).min(content.len());
        let text = String::from_utf8_lossy(&content[from..]);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    pub fn ended(&self, server: &'static str, status: &str) -> ServersError {
        ServersError::Ended { server, status: status.to_owned(), log: self.path.clone(), tail: self.tail() }
    }

    pub fn silent(&self, server: &'static str, within: Duration) -> ServersError {
        ServersError::Silent { server, within, log: self.path.clone(), tail: self.tail() }
    }
}
