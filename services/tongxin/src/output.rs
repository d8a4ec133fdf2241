//! Standard output, which contains only results.

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

pub fn line(line: fmt::Arguments) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
