//! What a thread logs meanwhile.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{Level, subscriber::DefaultGuard};

/// Lines of the log, from a level on, of the thread that made this. Tests of a runtime with one thread have all of theirs.
pub struct Lines {
    written: Written,
    _logged: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Keeps them until this is dropped.
    #[must_use]
    pub fn from(level: Level) -> Self {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(move || to.clone());
        Self { written, _logged: tracing::subscriber::set_default(lines.finish()) }
    }

    /// All of them so far.
    #[must_use]
    pub fn text(&self) -> String {
        let written = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }

    /// How many have a text in them.
    #[must_use]
    pub fn with(&self, text: &str) -> usize {
        self.text().lines().filter(|line| line.contains(text)).count()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
