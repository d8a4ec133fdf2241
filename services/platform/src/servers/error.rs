//! What can keep a private server from running, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    #[error(
        "the data folder {} is already in use by process {owner}: stop that one first, or choose another folder",
        .folder.display()
    )]
    InUse { folder: PathBuf, owner: String },

    #[error(
        "no Postgres {} or newer found; looked at: {tried}. Run `make setup`, or install your distribution's `postgresql` package",
        super::binaries::OLDEST_POSTGRES
    )]
    NoPostgres { tried: String },

    #[error(
        "no nats-server {} or newer found; looked at: {tried}. Run `make setup`, which puts it into .tools/bin",
        super::binaries::OLDEST_NATS
    )]
    NoNats { tried: String },

    #[error(
        "`setpriv` is missing, or not the one of util-linux: install the `util-linux` package of your distribution"
    )]
    NoSetpriv,

    #[error(
        "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as: \
         add one, or run this as an ordinary user"
    )]
    NoUser,

    #[error(
        "the user `{user}`, who runs Postgres when we are root, cannot reach {}: \
         allow it (chmod o+x) on the folders above, or choose another data folder",
        .path.display()
    )]
    Unreachable { user: String, path: PathBuf },

    #[error(
        "the cluster in {} was made by Postgres {found}, but the one to run it with is {running}: \
         install {found}, or choose another data folder",
        .path.display()
    )]
    OtherMajorVersion {
        path: PathBuf,
        found: String,
        running: u32,
    },

    #[error("initdb failed: {output}")]
    Initdb { output: String },

    #[error("{server} ended before it was ready ({status}); the end of {}:\n{tail}", .log.display())]
    Ended {
        server: &'static str,
        status: String,
        log: PathBuf,
        tail: String,
    },

    #[error("{server} did not answer within {within:?}; the end of {}:\n{tail}", .log.display())]
    Silent {
        server: &'static str,
        within: Duration,
        log: PathBuf,
        tail: String,
    },

    #[error(
        "a server of a killed run is still there as process {pid} and cannot be stopped: end it and try again"
    )]
    Leftover { pid: u32 },

    #[error("cannot {what} {}", .path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl ServersError {
    /// For `map_err`: says what was tried on which path.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
