//! The log file of a program, with limited size.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{error::ServersError, files::append};

/// A longer file becomes `<name>.log.1` at the next start.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;
const TAIL_LINES: usize = 15;

/// The log file, and where the output of the current process begins.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    from: u64,
}

impl Log {
    pub fn open(path: &Path) -> Result<Self, ServersError> {
        let length = || fs::metadata(path).map_or(0, |metadata| metadata.len());
        let open = || append(path).map_err(ServersError::io("open", path));
        let mut file = open()?;
        if length() > LOG_LIMIT && fs::rename(path, path.with_extension("log.1")).is_ok() {
            file = open()?;
        }
        Ok(Self { path: path.to_owned(), file, from: length() })
    }

    /// For the program to write to.
    pub fn output(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    fn tail(&self) -> String {
        let content = fs::read(&self.path).unwrap_or_default();
        let from = usize::try_from(self.from).unwrap_or(usize::MAX).min(content.len());
        let text = String::from_utf8_lossy(&content[from..]);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    pub fn ended(&self, server: &'static str, status: &str) -> ServersError {
        ServersError::Ended { server, status: status.to_owned(), log: self.path.clone(), tail: self.tail() }
    }

    pub fn silent(&self, server: &'static str, within: Duration) -> ServersError {
        ServersError::Silent { server, within, log: self.path.clone(), tail: self.tail() }
    }
}
