//! A private Postgres, reached by a unix socket that nobody else can reach.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::binaries::{self, PostgresBinaries};
use super::child;
use super::cluster;
use super::folder::DataFolder;
use super::keeper::{Keeper, Program};
use super::user::{self, User};
use super::{ServersConfig, ServersError, State, leftovers};

pub(super) const SUPERUSER: &str = "postgres";

/// Names the socket only; there is no TCP port.
const PORT: u16 = 5432;

/// INT is Postgres's fast shutdown, QUIT the one without a checkpoint.
const FAREWELL: &[(Signal, Duration)] =
    &[(Signal::INT, Duration::from_secs(30)), (Signal::QUIT, Duration::from_secs(10))];
const HURRIED_FAREWELL: &[(Signal, Duration)] = &[(Signal::QUIT, Duration::from_secs(10))];

const LEFTOVER_FAREWELL: &[(Signal, Duration)] = &[
    (Signal::INT, Duration::from_secs(20)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// A running Postgres. Dropping it stops it at once and waits for it; all is in the write-ahead log.
#[derive(Debug)]
pub struct Postgres {
    keeper: Keeper,
    socket_dir: PathBuf,
    /// Declared last: unlocked and removed when the server has ended.
    folder: Arc<DataFolder>,
}

impl Postgres {
    /// Starts it and returns when it answers.
    ///
    /// # Errors
    /// When the folder is in use, the program is missing, or the server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    /// On a folder that is removed in the end, and without waiting for the disk.
    ///
    /// # Errors
    /// When the program is missing, or the server does not start.
    pub async fn temporary() -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::temporary()?);
        Self::start_in(&folder, &ServersConfig::new(folder.path())).await
    }

    pub(super) async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
        let prepare = {
            let (folder, bin_dir) = (Arc::clone(folder), config.postgres_bin_dir.clone());
            async move || Server::prepare(&folder, bin_dir.as_deref()).await
        };
        let (keeper, socket_dir) = Keeper::start(prepare).await?;
        Ok(Self { keeper, socket_dir, folder: Arc::clone(folder) })
    }

    /// What sqlx and psql understand.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{}?host={}&port={PORT}&user={SUPERUSER}",
            escape(database),
            escape(&self.socket_dir.to_string_lossy()),
        )
    }

    /// The `host` of a connection.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Part of the socket's name.
    #[must_use]
    pub fn port(&self) -> u16 {
        PORT
    }

    /// Needs no password on the socket.
    #[must_use]
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The folder that we were started on.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// How it is now, with its process id.
    #[must_use]
    pub fn state(&self) -> State {
        self.keeper.state()
    }

    /// For fault tests: waits until another process than this one answers.
    pub async fn restarted(&self, before: u32) {
        self.keeper.restarted(before).await;
    }

    /// For fault tests: stops it and leaves it so.
    pub async fn halt(&self) {
        self.keeper.halt().await;
    }

    /// Starts it after [`Self::halt`], at the same address.
    pub async fn resume(&self) {
        self.keeper.resume().await;
    }

    /// Lets it write a checkpoint, so that the next start is quick.
    pub async fn stop(self) {
        self.keeper.stop(self.folder.is_temporary()).await;
    }
}

/// How to run the server.
struct Server {
    binaries: PostgresBinaries,
    user: Option<User>,
    cluster: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
    is_temporary: bool,
}

impl Server {
    async fn prepare(folder: &DataFolder, bin_dir: Option<&Path>) -> Result<Self, ServersError> {
        let link = folder.path().join("postgres");
        let user = user::for_postgres(&link)?;
        let binaries = binaries::find_postgres(bin_dir, user.as_ref()).await?;
        let cluster = cluster::open(&link, &binaries, user.as_ref(), folder.is_temporary()).await?;
        let socket_dir = cluster::make_socket_dir(&cluster, user.as_ref())?;

        leftovers::stop(|process| leftovers::is_postgres_on(process, &cluster), LEFTOVER_FAREWELL).await?;
        // Nobody is left, so the process id in these is a stranger's or nobody's; Postgres would take him for itself.
        for lock in [cluster.join("postmaster.pid"), socket_dir.join(format!("{}.lock", socket_name()))] {
            let _ = fs::remove_file(lock);
        }

        Ok(Self {
            binaries,
            user,
            cluster,
            socket_dir,
            log: folder.path().join("postgres.log"),
            is_temporary: folder.is_temporary(),
        })
    }

    fn settings(&self) -> Vec<String> {
        if self.is_temporary {
            // The folder does not outlive the server, let alone a power cut.
            ["shared_buffers=64MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
                .map(str::to_owned)
                .into()
        } else {
            // Bulk loads write much: fewer checkpoints, and room for them. After one each page is written whole once more,
            // and the default would spend a tenth of a millisecond on pressing it together. New pages go to the disk as they
            // come: the kernel would keep them for half a minute and then write them all the time, so that a load slows down.
            let mut settings =
                ["max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=lz4", "backend_flush_after=2MB"]
                    .map(str::to_owned)
                    .to_vec();
            settings.push(format!("shared_buffers={}MB", buffer_mib(memory_mib())));
            settings
        }
    }
}

impl Program for Server {
    const NAME: &'static str = "postgres";

    /// The folder of the socket.
    type Address = PathBuf;

    fn address(&self) -> PathBuf {
        self.socket_dir.clone()
    }

    fn command(&self) -> Command {
        let mut command = child::command(&self.binaries.postgres, "INT", self.user.as_ref());
        command.arg("-D").arg(&self.cluster).arg("-k").arg(&self.socket_dir);
        command.arg("-p").arg(PORT.to_string());
        let everywhere = [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            // Compiling takes longer than our queries.
            "jit=off",
            // A load fills empty tables within seconds: plans should follow as soon.
            "autovacuum_naptime=5s",
            "max_connections=200",
            "timezone=UTC",
            "log_timezone=UTC",
            "log_line_prefix=%m [%p] %u@%d ",
        ];
        for setting in everywhere.map(str::to_owned).into_iter().chain(self.settings()) {
            command.arg("-c").arg(setting);
        }
        command
    }

    fn log(&self) -> &Path {
        &self.log
    }

    async fn answers(&self) -> bool {
        let socket = self.socket_dir.join(socket_name());
        matches!(timeout(Duration::from_secs(2), greet(&socket)).await, Ok(Ok(true)))
    }

    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)] {
        if hurry { HURRIED_FAREWELL } else { FAREWELL }
    }
}

fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

/// The share of the machine's memory that Postgres may fill with pages: an eighth, within bounds.
fn buffer_mib(memory_mib: u64) -> u64 {
    (memory_mib / 8).clamp(128, 8192)
}

/// Memory of this machine, or of the container that this is; none where the kernel does not tell.
fn memory_mib() -> u64 {
    let granted = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|most| most.trim().parse::<u64>().ok());
    granted.map_or(u64::MAX, |bytes| bytes >> 20).min(total_mib())
}

fn total_mib() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// Logs in, and hears whether Postgres is ready for queries.
pub(super) async fn greet(socket: &Path) -> io::Result<bool> {
    const PROTOCOL: u32 = 3 << 16;
    let parameters = format!("user\0{SUPERUSER}\0database\0postgres\0\0");
    let length = u32::try_from(8 + parameters.len()).map_err(io::Error::other)?;

    let mut stream = UnixStream::connect(socket).await?;
    stream.write_u32(length).await?;
    stream.write_u32(PROTOCOL).await?;
    stream.write_all(parameters.as_bytes()).await?;

    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?.saturating_sub(4);
        tokio::io::copy(&mut (&mut stream).take(length.into()), &mut tokio::io::sink()).await?;
        match kind {
            b'Z' => {
                stream.write_all(b"X\0\0\0\x04").await?;
                return Ok(true);
            }
            b'E' => return Ok(false),
            _ => {}
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may lie outside the data folder. Goes only when empty.
        let _ = fs::remove_dir(&self.socket_dir);
    }
}

/// Makes text safe in a URL.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[test]
fn a_folder_with_any_name_fits_into_a_url() {
    assert_eq!(escape("/home/li wei/50%&同心"), "/home/li%20wei/50%25%26%E5%90%8C%E5%BF%83");
}
