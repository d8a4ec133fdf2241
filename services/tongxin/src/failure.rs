//! How the program says that it failed: one line, with what to do.

use std::process::ExitCode;

use tongxin_platform::error::chain;

/// Writes an error to standard error. What was wrongly typed, clap has refused before, with exit code 2.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", chain(error.as_ref()));
    ExitCode::FAILURE
}
