//! Reports failures: one line, with what to do.

use std::process::ExitCode;

use tongxin_platform::error::chain;

use crate::lang::told;

/// Writes an error to standard error. Usage errors have been reported before by clap, with exit code 2.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let said = chain(error.as_ref());
    note!("{}", told!("error: {said}", "错误：{said}"));
    ExitCode::FAILURE
}
