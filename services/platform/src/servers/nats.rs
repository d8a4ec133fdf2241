//! A private NATS server with JetStream, on a port of this machine only.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::child;
use super::folder::{self, DataFolder};
use super::keeper::{Keeper, Program};
use super::{ServersConfig, ServersError, State, binaries, leftovers};
use crate::broker::BrokerUser;

/// Who may do everything, where no users are asked for.
const USER: &str = "tongxin";

/// Below the ports that the kernel gives to outgoing connections: those could take ours
/// while the server is away.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const ATTEMPTS: usize = 5;

/// 128 random bits in hexadecimal digits.
const PASSWORD_LENGTH: usize = 32;

const FAREWELL: &[(Signal, Duration)] = &[(Signal::TERM, Duration::from_secs(10))];
const HURRIED_FAREWELL: &[(Signal, Duration)] = &[(Signal::TERM, Duration::from_secs(2))];
const LEFTOVER_FAREWELL: &[(Signal, Duration)] =
    &[(Signal::TERM, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];

/// A running NATS server. Dropping it stops it and waits for it.
#[derive(Debug)]
pub struct Nats {
    keeper: Keeper,
    login: Login,
    /// Declared last: unlocked and removed when the server has ended.
    folder: Arc<DataFolder>,
}

impl Nats {
    /// Starts it and returns when it answers.
    ///
    /// # Errors
    /// When the folder is in use, the program is missing, or the server does not start.
    pub async fn start(config: &ServersConfig) -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::open(&config.data_dir)?);
        Self::start_in(&folder, config).await
    }

    /// On a folder that is removed in the end.
    ///
    /// # Errors
    /// When the program is missing, or the server does not start.
    pub async fn temporary() -> Result<Self, ServersError> {
        let folder = Arc::new(DataFolder::temporary()?);
        Self::start_in(&folder, &ServersConfig::new(folder.path())).await
    }

    pub(super) async fn start_in(folder: &Arc<DataFolder>, config: &ServersConfig) -> Result<Self, ServersError> {
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
                // Somebody took the port between our look and the server's.
                Err(ServersError::Ended { tail, .. })
                    if tail.contains("address already in use") && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// With the password of who may do everything; without one if there are users, who have passwords of their own.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.login {
            Login { port, password: Some(password) } => format!("nats://{USER}:{password}@127.0.0.1:{port}"),
            Login { port, password: None } => format!("nats://127.0.0.1:{port}"),
        }
    }

    /// Where the password of a user is.
    #[must_use]
    pub fn password_file(&self, user: &str) -> PathBuf {
        password_file(self.folder.path(), user)
    }

    /// On 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.login.port
    }

    /// Where the streams are.
    #[must_use]
    pub fn store_dir(&self) -> PathBuf {
        store_dir(self.folder.path())
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

    /// Lets it finish what it does.
    pub async fn stop(self) {
        self.keeper.stop(self.folder.is_temporary()).await;
    }
}

#[derive(Clone)]
struct Login {
    port: u16,
    /// Of who may do everything; none if there are users.
    password: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("port", &self.port).finish_non_exhaustive()
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

        let port = port(&folder.path().join("nats.port"))?;
        let (authorization, password) = authorization(folder.path(), &asked.nats_users)?;
        let login = Login { port, password };
        let name = name(folder.path());
        let store = store_dir(folder.path());
        folder::write_private(&config, &configuration(&name, port, &authorization, &store)?)?;
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
        // What it keeps is for nobody else. It says itself if it cannot write there.
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
        // Another server may have the port.
        matches!(greeting, Ok(Ok(line)) if line.starts_with("INFO ") && line.contains(&self.name))
    }

    /// It would not notice that its store is gone, and go on promising to keep messages.
    fn is_broken(&self) -> bool {
        !self.store.join("jetstream").exists()
    }

    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)] {
        if hurry { HURRIED_FAREWELL } else { FAREWELL }
    }
}

/// What a server says first.
pub(super) async fn greeting(port: u16) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line)
}

fn store_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("nats")
}

/// The same for the same folder, different from that of any other.
fn name(data_dir: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    format!("tongxin-{:016x}", hasher.finish())
}

/// Who may log in, as a part of the configuration; with the password of who may do everything, where no users are asked for.
fn authorization(data_dir: &Path, users: &[BrokerUser]) -> Result<(String, Option<String>), ServersError> {
    if users.is_empty() {
        let password = password(&data_dir.join("nats.password"))?;
        return Ok((format!("user: \"{USER}\", password: \"{password}\""), Some(password)));
    }
    let entry = |user: &BrokerUser| {
        let password = password(&password_file(data_dir, &user.name))?;
        Ok(user.configuration(&format!("\"{password}\"")))
    };
    let entries: Vec<_> = users.iter().map(entry).collect::<Result<_, ServersError>>()?;
    Ok((format!("users: [\n{}]", entries.concat()), None))
}

fn password_file(data_dir: &Path, user: &str) -> PathBuf {
    data_dir.join(format!("nats.{user}.password"))
}

/// No `sync_interval: always`: the event log in Postgres is the truth, and JetStream only delivers.
fn configuration(name: &str, port: u16, authorization: &str, store: &Path) -> Result<String, ServersError> {
    let store = quote(store)?;
    Ok(format!(
        r#"# Written at each start.
server_name: "{name}"
listen: "127.0.0.1:{port}"
max_payload: 1MB
authorization {{ {authorization} }}
jetstream {{ store_dir: {store} }}
"#
    ))
}

fn quote(path: &Path) -> Result<String, ServersError> {
    let invalid = || ServersError::io("write the configuration for", path)(io::ErrorKind::InvalidFilename.into());
    let text = path.to_str().ok_or_else(invalid)?;
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The port of last time if it is free, otherwise another, which we remember.
fn port(remembered: &Path) -> Result<u16, ServersError> {
    let last = fs::read_to_string(remembered).ok().and_then(|text| text.trim().parse().ok());
    let port = match last {
        Some(last) if is_free(last) => last,
        _ => free_port()?,
    };
    folder::write_private(remembered, &format!("{port}\n"))?;
    Ok(port)
}

fn free_port() -> Result<u16, ServersError> {
    loop {
        let [high, low] = random::<2>()?;
        let port = PORTS.start + u16::from_be_bytes([high, low]) % (PORTS.end - PORTS.start);
        if is_free(port) {
            return Ok(port);
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok()
}

/// The password of last time, or a new one.
fn password(remembered: &Path) -> Result<String, ServersError> {
    if let Ok(password) = fs::read_to_string(remembered)
        && password.len() == PASSWORD_LENGTH
    {
        return Ok(password);
    }
    let number = u128::from_be_bytes(random()?);
    let password = format!("{number:0PASSWORD_LENGTH$x}");
    folder::write_private(remembered, &password)?;
    Ok(password)
}

fn random<const N: usize>() -> Result<[u8; N], ServersError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; N];
    File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).map_err(ServersError::io("read", source))?;
    Ok(bytes)
}
