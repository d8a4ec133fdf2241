//! A private Postgres on a unix socket that nobody else can access.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::Signal;
use sqlx::{
    ConnectOptions as _, Connection as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::{process::Command, time::timeout};

use crate::{
    binaries::{self, PostgresBinaries},
    child,
    cluster::{self, SUPERUSER},
    config::ServersConfig,
    error::ServersError,
    folder::DataFolder,
    keeper::Keeper,
    leftovers,
    program::{Program, State},
    settings,
    user::{self, User},
};

/// Only part of the socket's name; there is no TCP port.
const PORT: u16 = 5432;

/// Characters that are escaped in a URL.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'~');

/// INT is Postgres's fast shutdown, QUIT the one without a checkpoint.
const FAREWELL: &[(Signal, Duration)] =
    &[(Signal::INT, Duration::from_secs(30)), (Signal::QUIT, Duration::from_secs(10))];
const HURRIED_FAREWELL: &[(Signal, Duration)] = &[(Signal::QUIT, Duration::from_secs(10))];

const LEFTOVER_FAREWELL: &[(Signal, Duration)] = &[
    (Signal::INT, Duration::from_secs(20)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// A running Postgres. Dropping it stops it immediately and waits for it; all data is in the write-ahead log.
#[derive(Debug)]
pub struct Postgres {
    keeper: Keeper,
    socket_dir: PathBuf,
    /// Declared last: unlocked and removed after the server has ended.
    folder: Arc<DataFolder>,
}

impl Postgres {
    /// Starts it and returns when it is ready.
    ///
    /// # Errors
    /// When the folder is in use, the program is missing, or the server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    pub(crate) async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
        let prepare = {
            let (folder, bin_dir) = (Arc::clone(folder), config.postgres_bin_dir.clone());
            async move || Server::prepare(&folder, bin_dir.as_deref()).await
        };
        let (keeper, socket_dir) = Keeper::start(prepare).await?;
        Ok(Self { keeper, socket_dir, folder: Arc::clone(folder) })
    }

    /// The URL of a database for the superuser, as sqlx and psql understand it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, database)
    }

    /// The URL of a database for any role.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        let socket_dir = self.socket_dir.to_string_lossy();
        let [role, database, host] = [role, database, &socket_dir].map(|text| utf8_percent_encode(text, UNSAFE));
        format!("postgres:///{database}?host={host}&port={PORT}&user={role}")
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

    /// The folder that it was started on.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The current state, with the process id.
    #[must_use]
    pub fn state(&self) -> State {
        self.keeper.state()
    }

    /// For fault tests: waits until another process than this one is ready.
    pub async fn restarted(&self, before: u32) {
        self.keeper.restarted(before).await;
    }

    /// For fault tests: stops it without a restart.
    pub async fn halt(&self) {
        self.keeper.halt().await;
    }

    /// Starts it after [`Self::halt`], at the same address.
    pub async fn resume(&self) {
        self.keeper.resume().await;
    }

    /// Stops it with a checkpoint, so that the next start is quick.
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
    settings: Vec<String>,
}

impl Server {
    async fn prepare(folder: &DataFolder, bin_dir: Option<&Path>) -> Result<Self, ServersError> {
        let link = folder.path().join("postgres");
        let user = user::for_postgres(&link)?;
        let binaries = binaries::find_postgres(bin_dir, user.as_ref()).await?;
        let cluster = cluster::open(&link, &binaries, user.as_ref(), folder.is_temporary()).await?;
        let socket_dir = cluster::make_socket_dir(&cluster, user.as_ref())?;

        leftovers::stop(|process| leftovers::is_postgres_on(process, &cluster), LEFTOVER_FAREWELL).await?;
        // No process uses the cluster any more, so the process id in these files may now be any process, and Postgres
        // would refuse to start because of it.
        for lock in [cluster.join("postmaster.pid"), socket_dir.join(format!("{}.lock", socket_name()))] {
            let _ = fs::remove_file(lock);
        }

        let settings = if folder.is_temporary() {
            settings::temporary()
        } else {
            settings::lasting(&binaries.postgres, &cluster, user.as_ref()).await
        };
        Ok(Self { binaries, user, cluster, socket_dir, log: folder.path().join("postgres.log"), settings })
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
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        command
    }

    fn log(&self) -> &Path {
        &self.log
    }

    /// Logs in, because it accepts connections before it is ready.
    async fn answers(&self) -> bool {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(PORT)
            .username(SUPERUSER)
            .database("postgres")
            .ssl_mode(PgSslMode::Disable);
        let login = async { options.connect().await?.close().await };
        matches!(timeout(Duration::from_secs(2), login).await, Ok(Ok(())))
    }

    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)] {
        if hurry { HURRIED_FAREWELL } else { FAREWELL }
    }
}

fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be outside the data folder. Removed only if empty.
        let _ = fs::remove_dir(&self.socket_dir);
    }
}

#[test]
fn a_folder_with_any_name_fits_into_a_url() {
    let escaped = utf8_percent_encode("/home/li wei/50%&同心", UNSAFE).to_string();
    assert_eq!(escaped, "/home/li%20wei/50%25%26%E5%90%8C%E5%BF%83");
}
