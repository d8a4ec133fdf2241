//! Batches of commands about cases.

use tongxin_platform::request::batch::{Batch, read_all};
use tongxin_proto::{
    batch::v1::Outcome,
    monitoring::v1::{BatchCaseCommandsRequest, CaseCommand},
};

use super::convert::cases::about;
use crate::{
    commands::{About, BatchCaseCommands, Failed, Rights, Row},
    error::Refused,
};

/// A batch in progress.
pub(super) struct CaseCommands {
    rights: Rights,
    /// Subjects of the rows of the current message.
    about: Vec<About>,
    failed: Failed,
}

impl CaseCommands {
    /// For a caller with these rights.
    pub(super) fn new(rights: Rights) -> Self {
        Self { rights, about: Vec::new(), failed: Failed::default() }
    }
}

impl Batch for CaseCommands {
    type Parts = BatchCaseCommandsRequest;
    type Command = BatchCaseCommands;
    type Refused = Refused;

    fn command(&mut self, rows: Vec<CaseCommand>, first_row: i64, whole: bool) -> BatchCaseCommands {
        self.about = rows.iter().map(about).collect();
        let commands = read_all(rows, first_row, TryFrom::try_from);
        let rows = self.about.iter().zip(commands).map(|(about, command)| Row { about: *about, command }).collect();
        BatchCaseCommands { rows, failed: self.failed.clone(), first_row, all_or_nothing: whole, rights: self.rights }
    }

    fn carried_out(&mut self, outcome: &Outcome) {
        for error in &outcome.errors {
            let place = usize::try_from(error.row - 1).unwrap_or(usize::MAX);
            self.about.get(place).into_iter().for_each(|about| self.failed.add(*about));
        }
    }
}
