//! What goes to standard output: results, and nothing else.

use std::{
    fmt,
    io::{self, ErrorKind, Write as _},
};

/// Writes a line, as `println!` does. Who reads may have seen enough, as `head` has: what was asked for is done all the same, and
/// whatever would be written after that is left out.
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
