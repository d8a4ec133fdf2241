//! The configuration of NATS: address and users.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use crate::{config::NatsUser, error::ServersError, files::write_private};

/// The user who may do everything, if no users are configured.
const USER: &str = "tongxin";

/// Below the kernel's range for outgoing connections, which could take our port while the server is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Written as hexadecimal digits.
const PASSWORD_BYTES: usize = 16;

/// Address and password of the user who may do everything.
#[derive(Clone)]
pub(crate) struct Login {
    /// On 127.0.0.1.
    pub port: u16,
    /// `None` if users are configured.
    password: Option<String>,
}

impl Login {
    /// Without a password if users are configured, who have their own.
    pub fn url(&self) -> String {
        match self {
            Self { port, password: Some(password) } => format!("nats://{USER}:{password}@127.0.0.1:{port}"),
            Self { port, password: None } => format!("nats://127.0.0.1:{port}"),
        }
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("port", &self.port).finish_non_exhaustive()
    }
}

/// The configuration for a data folder, and how to log in. Reuses the previous port and passwords, if any.
pub(crate) fn of(data_dir: &Path, name: &str, users: &[NatsUser]) -> Result<(Login, String), ServersError> {
    let port = port(&data_dir.join("nats.port"))?;
    let (authorization, password) = authorization(data_dir, users)?;
    let content = configuration(name, port, &authorization, &store_dir(data_dir))?;
    Ok((Login { port, password }, content))
}

/// The folder of the streams.
pub(crate) fn store_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("nats")
}

/// The configuration of users, and the password of the user who may do everything, if no users are configured.
fn authorization(data_dir: &Path, users: &[NatsUser]) -> Result<(String, Option<String>), ServersError> {
    if users.is_empty() {
        let password = password(&data_dir.join("nats.password"))?;
        return Ok((format!("user: \"{USER}\", password: \"{password}\""), Some(password)));
    }
    let entry = |user: &NatsUser| {
        let password = password(&password_file(data_dir, &user.name))?;
        Ok(user.entry(&format!("\"{password}\"")))
    };
    let entries: Vec<_> = users.iter().map(entry).collect::<Result<_, ServersError>>()?;
    Ok((format!("users: [\n{}]", entries.concat()), None))
}

pub(crate) fn password_file(data_dir: &Path, user: &str) -> PathBuf {
    data_dir.join(format!("nats.{user}.password"))
}

/// Without `sync_interval: always`: the event log in Postgres is the source of truth, and JetStream only delivers.
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

/// The previous port if it is free, otherwise another, which is stored.
fn port(remembered: &Path) -> Result<u16, ServersError> {
    let last = fs::read_to_string(remembered).ok().and_then(|text| text.trim().parse().ok());
    let port = match last {
        Some(last) if is_free(last) => last,
        _ => free_port()?,
    };
    write_private(remembered, &format!("{port}\n"))?;
    Ok(port)
}

fn free_port() -> Result<u16, ServersError> {
    loop {
        let mut number = [0; 2];
        getrandom::fill(&mut number)?;
        let port = PORTS.start + u16::from_be_bytes(number) % (PORTS.end - PORTS.start);
        if is_free(port) {
            return Ok(port);
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok()
}

/// The previous password, or a new one.
fn password(remembered: &Path) -> Result<String, ServersError> {
    if let Ok(password) = fs::read_to_string(remembered)
        && password.len() == 2 * PASSWORD_BYTES
    {
        return Ok(password);
    }
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes)?;
    let password = hex::encode(bytes);
    write_private(remembered, &password)?;
    Ok(password)
}
