//! A private NATS server with JetStream, on a port of this machine only.

use std::{
    fs::DirBuilder,
    io,
    net::Ipv4Addr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::{
    binaries, child,
    config::ServersConfig,
    error::ServersError,
    files::{name_for, write_private},
    folder::DataFolder,
    keeper::Keeper,
    leftovers,
    nats_config::{self, Login, password_file, store_dir},
    program::{Program, State},
};

const ATTEMPTS: usize = 5;

const FAREWELL: &[(Signal, Duration)] = &[(Signal::TERM, Duration::from_secs(10))];
const HURRIED_FAREWELL: &[(Signal, Duration)] = &[(Signal::TERM, Duration::from_secs(2))];
const LEFTOVER_FAREWELL: &[(Signal, Duration)] =
    &[(Signal::TERM, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];

/// A running NATS server. Dropping it stops it and waits for it.
#[derive(Debug)]
pub struct Nats {
    keeper: Keeper,
    login: Login,
    /// Declared last: unlocked and removed after the server has ended.
    folder: Arc<DataFolder>,
}

impl Nats {
    /// Starts it and returns when it is ready.
    ///
    /// # Errors
    /// When the folder is in use, the program is missing, or the server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    /// On a folder that is removed at the end.
    ///
    /// # Errors
    /// When the program is missing, or the server does not start.
    pub async fn temporary() -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::temporary()?);
        Self::start_in(&folder, &ServersConfig::new(folder.path())).await
    }

    pub(crate) async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
        let mut attempt = 1;
        loop {
            let prepare = {
                let (folder, config) = (Arc::clone(folder), config.clone());
                async move || Server::prepare(&folder, &config).await
            };
            match Keeper::start(prepare).await {
                Ok((keeper, login)) => {
                    return Ok(Self { keeper, login, folder: Arc::clone(folder) });
                }
                // Another process took the port after we had found it free.
                Err(ServersError::Ended { tail, .. })
                    if tail.contains("address already in use") && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// With the password of the user who may do everything; without one if there are users, who have their own
    /// passwords.
    #[must_use]
    pub fn url(&self) -> String {
        self.login.url()
    }

    /// The password file of a user.
    #[must_use]
    pub fn password_file(&self, user: &str) -> PathBuf {
        password_file(self.folder.path(), user)
    }

    /// On 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.login.port
    }

    /// The folder of the streams.
    #[must_use]
    pub fn store_dir(&self) -> PathBuf {
        store_dir(self.folder.path())
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

    /// Stops it gracefully.
    pub async fn stop(self) {
        self.keeper.stop(self.folder.is_temporary()).await;
    }
}

/// How to run the server.
struct Server {
    program: PathBuf,
    login: Login,
    name: String,
    store: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl Server {
    async fn prepare(folder: &DataFolder, asked: &ServersConfig) -> Result<Self, ServersError> {
        let program = binaries::find_nats(asked.nats_server.as_deref()).await?;
        let config = folder.path().join("nats.conf");
        leftovers::stop(|process| leftovers::is_nats_with(process, &config), LEFTOVER_FAREWELL).await?;

        let (name, store) = (name_for(folder.path()), store_dir(folder.path()));
        let (login, content) = nats_config::of(folder.path(), &name, &asked.nats_users)?;
        write_private(&config, &content)?;
        Ok(Self { program, login, name, store, config, log: folder.path().join("nats.log") })
    }
}

impl Program for Server {
    const NAME: &'static str = "nats-server";

    type Address = Login;

    fn address(&self) -> Login {
        self.login.clone()
    }

    fn command(&self) -> Command {
        // Its data is private. It reports by itself if it cannot write there.
        let _ = DirBuilder::new().mode(0o700).create(&self.store);
        let mut command = child::command(&self.program, "TERM", None);
        command.arg("-c").arg(&self.config);
        command
    }

    fn log(&self) -> &Path {
        &self.log
    }

    async fn answers(&self) -> bool {
        let greeting = timeout(Duration::from_secs(2), greeting(self.login.port)).await;
        // Another server may use the port.
        matches!(greeting, Ok(Ok(line)) if line.starts_with("INFO ") && line.contains(&self.name))
    }

    /// It would not notice that its store is gone, and would keep acknowledging messages.
    fn is_broken(&self) -> bool {
        !self.store.join("jetstream").exists()
    }

    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)] {
        if hurry { HURRIED_FAREWELL } else { FAREWELL }
    }
}

/// The first line that a server sends.
async fn greeting(port: u16) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line)
}
