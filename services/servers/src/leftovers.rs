//! Stops servers that a killed run left running on our data folder, and nothing else.
//!
//! The kernel signals our children when we die (see `child::command`), but they take a moment to end, and a hanging one
//! ignores the signal.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::error::ServersError;

/// Stops all processes that `is_ours` selects by their folder in `/proc`, with one signal after another.
pub(crate) async fn stop(is_ours: impl Fn(&Path) -> bool, signals: &[(Signal, Duration)]) -> Result<(), ServersError> {
    for (signal, patience) in signals {
        let found = find(&is_ours);
        if found.is_empty() {
            return Ok(());
        }
        info!(?found, ?signal, "stopping what a killed run left behind");
        for pid in found {
            let _ = kill_process(pid, *signal);
        }
        wait_until_gone(&is_ours, *patience).await;
    }
    match find(&is_ours).first() {
        None => Ok(()),
        Some(pid) => {
            warn!(%pid, "a server of a killed run cannot be stopped");
            Err(ServersError::Leftover { pid: pid.as_raw_pid().cast_unsigned() })
        }
    }
}

/// Whether a process is the postmaster of this cluster or one of its children: their working folder is the cluster.
pub(crate) fn is_postgres_on(process: &Path, cluster: &Path) -> bool {
    is_program(process, "postgres") && fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == cluster)
}

/// Whether a process is a nats-server with this configuration file.
pub(crate) fn is_nats_with(process: &Path, config: &Path) -> bool {
    let config = config.as_os_str().as_encoded_bytes();
    is_program(process, "nats-server")
        && fs::read(process.join("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == config))
}

fn is_program(process: &Path, name: &str) -> bool {
    fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
}

fn find(is_ours: impl Fn(&Path) -> bool) -> Vec<Pid> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            is_ours(&entry.path()).then_some(pid)
        })
        .collect()
}

async fn wait_until_gone(is_ours: impl Fn(&Path) -> bool, patience: Duration) {
    let end = Instant::now() + patience;
    while !find(&is_ours).is_empty() && Instant::now() < end {
        sleep(Duration::from_millis(20)).await;
    }
}
