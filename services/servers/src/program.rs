//! A supervised program and its state.

use std::{path::Path, time::Duration};

use rustix::process::Signal;
use tokio::process::Command;

/// What the supervisor needs of a program.
pub(crate) trait Program: Send + 'static {
    const NAME: &'static str;

    /// How to connect to it when it is ready.
    type Address: Send;

    fn address(&self) -> Self::Address;

    fn command(&self) -> Command;

    /// The file with its output.
    fn log(&self) -> &Path;

    /// Whether it is ready.
    fn answers(&self) -> impl Future<Output = bool>;

    /// Whether it runs but is useless, and needs a restart.
    fn is_broken(&self) -> bool {
        false
    }

    /// Signals to end it, each with the time to wait after it.
    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)];
}

/// The state of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not ready yet.
    Starting,
    /// Ready.
    Up {
        /// Its process id.
        pid: u32,
    },
    /// Stopped by us, and not restarted until requested.
    Halted,
}

impl State {
    /// The process id while it is ready.
    #[must_use]
    pub fn pid(self) -> Option<u32> {
        match self {
            Self::Up { pid } => Some(pid),
            Self::Starting | Self::Halted => None,
        }
    }
}
