//! Standard output, which contains only results, and standard error, which says what happens.

use std::{
    fmt,
    io::{self, ErrorKind, Write as _},
};

/// Writes a line, as `println!` does. If the reader has closed the pipe, as `head` does, the command still completes,
/// and further output is dropped.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::output::line(format_args!($($line)*))
    };
}

/// Writes a line to standard error. Whoever has closed it hears nothing, and the command still completes.
macro_rules! note {
    ($($line:tt)*) => {
        $crate::output::aside(format_args!($($line)*))
    };
}

pub fn aside(line: fmt::Arguments) {
    let _ = writeln!(io::stderr(), "{line}");
}

pub fn line(line: fmt::Arguments) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Standard output for whoever writes bytes, with the same way of a closed pipe.
pub struct Results;

impl io::Write for Results {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}
