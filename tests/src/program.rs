//! The built program, run as a user runs it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{Clients, Instance};

/// Arguments that load the sample year.
pub const SAMPLE: [&str; 2] = ["--sample", "qingyuan-2025"];

/// Longer than any start, restart or load takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// A running `tongxin up`, stopped at once when it is dropped.
pub struct Program {
    child: Child,
    data_dir: PathBuf,
    _watch: Child,
}

impl Program {
    /// Starts `tongxin up` on a data folder, on free ports.
    ///
    /// # Errors
    /// When the program was not built.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Result<Self> {
        let child = command()?
            .args(["up", "--port", "0", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // What it has to say is in its log; our own output ends when we do.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the program")?;
        let watch = ended_with_us(&child)?;
        Ok(Self { child, data_dir: data_dir.to_owned(), _watch: watch })
    }

    /// Waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub async fn instance(&mut self) -> Result<Instance> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended: {status}");
            }
            let said = std::fs::read(self.data_dir.join("up.json")).ok();
            let instance: Option<Instance> = said.and_then(|text| serde_json::from_slice(&text).ok());
            if let Some(instance) = instance.filter(|instance| Some(instance.pid) == self.child.id()) {
                return Ok(instance);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the program was not ready in time")
    }

    /// Loads the sample year, waits until it is counted, and returns what the program printed and said.
    ///
    /// # Errors
    /// When it fails, or takes too long.
    pub async fn load_sample(data_dir: &Path) -> Result<[String; 2]> {
        let loaded = output(&["up", "--port", "0", "--once", SAMPLE[0], SAMPLE[1]], data_dir).await?;
        let said = String::from_utf8(loaded.stderr)?;
        ensure!(loaded.status.success(), "loading failed: {said}");
        Ok([String::from_utf8(loaded.stdout)?, said])
    }

    /// Starts it on a folder with the sample year.
    ///
    /// # Errors
    /// When it ends, or takes too long.
    pub async fn with_sample(data_dir: &Path) -> Result<(Self, Clients)> {
        Self::load_sample(data_dir).await?;
        Self::on_sample(data_dir).await
    }

    /// Starts it on a folder that has the sample year.
    ///
    /// # Errors
    /// When it ends, or takes too long.
    pub async fn on_sample(data_dir: &Path) -> Result<(Self, Clients)> {
        let mut program = Self::start(data_dir, &[])?;
        let clients = Clients::of(&program.instance().await?)?;
        Ok((program, clients))
    }

    /// Says whether it has ended, by itself or otherwise.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills a process that the program started, or one that such a process started, by the beginning of its
    /// command line, as `kill -9` does. Says whether there was one.
    ///
    /// # Errors
    /// When the system does not tell which processes there are.
    pub fn kill_started(&self, command: &str) -> Result<bool> {
        let own = self.child.id().context("it has ended")?;
        let processes = processes()?;
        let parent = |pid: u32| processes.iter().find(|process| process.pid == pid).map(|process| process.parent);
        let is_ours = |process: &&Process| process.parent == own || parent(process.parent) == Some(own);
        let found = processes.iter().filter(is_ours).find(|process| process.command.starts_with(command));
        let pid = found.and_then(|process| Pid::from_raw(process.pid.cast_signed()));
        // It may have ended by itself meanwhile.
        Ok(pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()))
    }

    /// Kills the program itself, as `kill -9` does.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop, and says how it ended.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(mut self) -> Result<std::process::ExitStatus> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it has ended")?;
        kill_process(pid, Signal::TERM)?;
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await??)
    }

    /// Resident memory in KiB.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn memory_kib(&self) -> Result<u64> {
        memory_kib(self.child.id().context("it has ended")?)
    }

    /// The most resident memory that it had since [`Self::forget_peak`], in KiB.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn peak_memory_kib(&self) -> Result<u64> {
        status_kib(self.child.id().context("it has ended")?, "VmHWM:")
    }

    /// Lets the peak of its memory begin anew.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn forget_peak(&self) -> Result<()> {
        let pid = self.child.id().context("it has ended")?;
        Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
    }
}

/// Resident memory of a process in KiB.
///
/// # Errors
/// When the system does not tell.
pub fn memory_kib(pid: u32) -> Result<u64> {
    status_kib(pid, "VmRSS:")
}

fn status_kib(pid: u32, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

struct Process {
    pid: u32,
    parent: u32,
    /// The program's name without its folder, and its arguments.
    command: String,
}

fn processes() -> Result<Vec<Process>> {
    let read = |path: &Path| {
        // Processes come and go while we look.
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        let command = String::from_utf8(std::fs::read(path.join("cmdline")).ok()?).ok()?;
        let (program, arguments) = command.split_once('\0').unwrap_or((&command, ""));
        let name = program.rsplit('/').next().unwrap_or_default();
        Some(Process {
            pid: path.file_name()?.to_str()?.parse().ok()?,
            parent: stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?,
            command: format!("{name} {}", arguments.replace('\0', " ")),
        })
    };
    let entries = std::fs::read_dir("/proc")?.filter_map(std::result::Result::ok);
    Ok(entries.filter_map(|entry| read(&entry.path())).collect())
}

/// Runs a subcommand to its end, with a data folder.
///
/// # Errors
/// When the program was not built, or takes too long.
pub async fn output(arguments: &[&str], data_dir: &Path) -> Result<Output> {
    run(&[arguments, &["--data-dir", data_dir.to_str().context("a folder whose name is text")?]].concat()).await
}

/// Runs a subcommand to its end.
///
/// # Errors
/// When the program was not built, or takes too long.
pub async fn run(arguments: &[&str]) -> Result<Output> {
    run_into(Stdio::piped(), arguments).await
}

/// Runs a subcommand to its end, which writes its results somewhere.
///
/// # Errors
/// When the program was not built, or takes too long.
pub async fn run_into(results: Stdio, arguments: &[&str]) -> Result<Output> {
    finished(command()?, results, arguments).await
}

/// Runs a subcommand to its end on a machine that trusts no CA.
///
/// # Errors
/// When the program was not built, or takes too long.
pub async fn run_without_authorities(arguments: &[&str]) -> Result<Output> {
    let mut command = command()?;
    command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    finished(command, Stdio::piped(), arguments).await
}

async fn finished(mut command: Command, results: Stdio, arguments: &[&str]) -> Result<Output> {
    command.args(arguments).stdin(Stdio::null()).stdout(results).stderr(Stdio::piped()).kill_on_drop(true);
    let run = command.spawn()?.wait_with_output();
    Ok(tokio::time::timeout(PATIENCE, run).await.context("the program took too long")??)
}

/// Ends the program when this process ends without dropping it, as a test binary does with what its tests share: it
/// reads from us until there is nobody.
pub(crate) fn ended_with_us(child: &Child) -> Result<Child> {
    let watch = Command::new("sh")
        .args(["-c", "cat; kill -TERM \"$0\""])
        .arg(child.id().context("it has ended")?.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(watch)
}

/// The program beside this one: `target/<profile>/tongxin`.
pub(crate) fn command() -> Result<Command> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("tests run from target/<profile>/deps")?;
    let program = folder.join("tongxin");
    ensure!(program.exists(), "{} is missing: run `cargo build` in the same profile first", program.display());
    let mut command = Command::new(program);
    // What it says is compared.
    command.env("LC_ALL", "C");
    Ok(command)
}
