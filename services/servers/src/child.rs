//! Starts and ends child processes.

use std::{io, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};
use tracing::warn;

use crate::{error::ServersError, log::Log, user::User};

/// A command that receives `signal` when this process dies, even by kill -9, and does not receive our Ctrl-C.
///
/// It runs through `setpriv`, because the system calls for this are unsafe in Rust.
pub(crate) fn command(program: &Path, signal: &str, user: Option<&User>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if let Some(user) = user {
        command.arg("--reuid").arg(user.uid.to_string()).arg("--regid").arg(user.gid.to_string()).arg("--clear-groups");
    }
    // Our environment (PGDATA, LANG, TZ) must not affect the program.
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

/// Checks that `setpriv` has the options that we need; busybox's does not.
pub(crate) async fn require_setpriv() -> Result<(), ServersError> {
    let status = command(Path::new("true"), "KILL", None).status().await;
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(ServersError::NoSetpriv) }
}

pub(crate) fn spawn(mut command: Command, log: &Log) -> io::Result<Child> {
    command.stdin(Stdio::null()).stdout(log.output()?).stderr(log.output()?).kill_on_drop(true).spawn()
}

/// Sends each signal in turn, and waits for its duration.
pub(crate) async fn stop(child: &mut Child, farewell: &[(Signal, Duration)]) {
    for (signal, patience) in farewell {
        // Without an id it has ended and been reaped.
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
