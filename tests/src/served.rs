//! `tongxin serve`: one service as operators run it, a process of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::Child;

use crate::program::{PATIENCE, command, ended_with_us};

/// A service that runs by itself, stopped at once when it is dropped.
pub struct Served {
    child: Child,
    log: PathBuf,
    _watch: Child,
}

/// A line of its log that says where it listens.
#[derive(Deserialize)]
struct Line {
    fields: Serving,
}

#[derive(Deserialize)]
struct Serving {
    message: String,
    #[serde(default)]
    grpc: String,
}

impl Served {
    /// Starts a service by a configuration file and variables, with its log in a folder.
    ///
    /// # Errors
    /// When the program was not built.
    pub fn start(service: &str, config: &Path, variables: &[(&str, &str)], folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{service}.log"));
        let child = command()?
            .args(["serve", service, "--config"])
            .arg(config)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the program")?;
        let watch = ended_with_us(&child)?;
        Ok(Self { child, log, _watch: watch })
    }

    /// Waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub async fn address(&mut self) -> Result<String> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let said = fs::read_to_string(&self.log)?;
            if let Some(status) = self.child.try_wait()? {
                bail!("the service ended: {status}: {said}");
            }
            let lines = said.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
            if let Some(line) = lines.map(|line| line.fields).find(|fields| fields.message == "serving") {
                return Ok(format!("http://{}", line.grpc));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the service was not ready in time")
    }

    /// Presses Ctrl-C, and says how it ended.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn interrupt(mut self) -> Result<ExitStatus> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it has ended")?;
        kill_process(pid, Signal::INT)?;
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await??)
    }
}
