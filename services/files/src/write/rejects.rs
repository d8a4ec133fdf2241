//! The rows of a file that were refused, as they stand in it, with the reason beside each.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use super::output::{Output, WriteError};
use crate::{
    cell::Cell,
    fault::Fault,
    form::{Form, REASON, is_reason},
    lang::Lang,
    read::{Choice, lines, open},
};

/// Why a file of refused rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RejectsError {
    /// The rows cannot be read once more.
    #[error("{0}")]
    Read(#[from] Fault),
    /// They cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes the lines that `reasons` names into a file, with the header and what is wrong with each. Returns how many.
///
/// # Errors
/// If the first file cannot be read again, or the second one not written.
pub fn rejects(
    (from, to): (&Path, &Path),
    form: &Form,
    choice: &Choice,
    reasons: &BTreeMap<u64, String>,
    lang: Lang,
) -> Result<usize, RejectsError> {
    let mut output = Output::create(to, lang.of("refused", "退回"))?;
    let mut written: Result<usize, WriteError> = Ok(0);
    let mut header: Option<Vec<usize>> = None;
    lines(open(from)?, form, choice, &mut |line| {
        let Ok(line) = line else { return ControlFlow::Continue(()) };
        let reason = match &header {
            None => {
                let headings: Vec<_> = line.cells.iter().map(Cell::heading).collect();
                if !headings.iter().any(|heading| form.find(heading).is_some()) {
                    return ControlFlow::Continue(());
                }
                let kept = (0..headings.len()).filter(|at| !is_reason(&headings[*at]));
                header = Some(kept.collect());
                lang.of(REASON[0], REASON[1])
            }
            Some(_) => match reasons.get(&line.place.line) {
                Some(reason) => reason,
                None => return ControlFlow::Continue(()),
            },
        };
        let kept = header.as_deref().unwrap_or_default();
        let mut cells: Vec<_> = kept.iter().map(|at| line.cell(*at).clone()).collect();
        cells.push(Cell::Text(reason.to_owned()));
        match (output.line(&cells), &mut written) {
            (Ok(()), Ok(count)) => {
                *count += 1;
                ControlFlow::Continue(())
            }
            (Err(error), _) => {
                written = Err(error);
                ControlFlow::Break(())
            }
            (Ok(()), Err(_)) => ControlFlow::Break(()),
        }
    })?;
    let written = written?;
    output.finish()?;
    // The header is a line, too.
    Ok(written.saturating_sub(1))
}
