//! What is kept running: a program, and how it is.

use std::{path::Path, time::Duration};

use rustix::process::Signal;
use tokio::process::Command;

/// What the keeper must know about a program.
pub(crate) trait Program: Send + 'static {
    const NAME: &'static str;

    /// What its users need to know, when it answers.
    type Address: Send;

    fn address(&self) -> Self::Address;

    fn command(&self) -> Command;

    /// Where its output goes.
    fn log(&self) -> &Path;

    /// Whether it does its work.
    fn answers(&self) -> impl Future<Output = bool>;

    /// Whether it runs, but to no use, and should be started again.
    fn is_broken(&self) -> bool {
        false
    }

    /// How to end it, ever less politely, with the time it has for each.
    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)];
}

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// On its way up.
    Starting,
    /// Answers.
    Up {
        /// Its process id.
        pid: u32,
    },
    /// Stopped by us, and left so until told otherwise.
    Halted,
}

impl State {
    /// The process id while it answers.
    #[must_use]
    pub fn pid(self) -> Option<u32> {
        match self {
            Self::Up { pid } => Some(pid),
            Self::Starting | Self::Halted => None,
        }
    }
}
