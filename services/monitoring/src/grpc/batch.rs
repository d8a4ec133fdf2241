//! Batches of commands about cases: options first, then commands, each message a request of its own or all of them
//! one.

use prost::Message as _;
use tongxin_platform::{
    access::Caller,
    grpc::MethodPath,
    request::{Call, Writer},
};
use tongxin_proto::{
    batch::v1::RowError,
    invalid_fields,
    monitoring::v1::{
        BatchCaseCommandsRequest, BatchCaseCommandsResponse, CaseCommand, CaseCommandRows, CaseCommandWarning,
        batch_case_commands_request::Part,
    },
    rules::{self, Violation},
};
use tonic::{Request, Status, Streaming};

use super::{cases::rights, convert};
use crate::{
    commands::{BatchCaseCommands, CommandOutcomes, Failed, Policy, Rights, Row},
    error::Error,
};

/// Rows of a batch that is carried out as a whole.
const WHOLE_ROWS: usize = 50_000;

/// Bytes of its messages: all of them are in memory at once.
const WHOLE_BYTES: usize = 64 << 20;

/// Refused rows that an answer names.
const ERRORS_NAMED: usize = 1_000;

/// Rows with warnings that an answer names.
const WARNINGS_NAMED: usize = 1_000;

/// Carries a batch out as its options say.
pub(super) async fn carry_out(
    writer: &Writer<Policy>,
    request: Request<Streaming<BatchCaseCommandsRequest>>,
) -> Result<BatchCaseCommandsResponse, Status> {
    let caller = Caller::of(&request)?;
    let rights = rights(&caller);
    let method = MethodPath::of(&request);
    let mut messages = request.into_inner();
    let Some(Part::Options(options)) = messages.message().await?.and_then(|message| message.part) else {
        return Err(misplaced("options", "have to be in the first message"));
    };
    let call = Call::of_batch(caller, method, (&options.request_id, &options))?;
    if options.all_or_nothing {
        whole(writer, call, rights, messages).await
    } else {
        by_message(writer, call, rights, messages).await
    }
}

async fn by_message(
    writer: &Writer<Policy>,
    mut call: Call,
    rights: Rights,
    mut messages: Streaming<BatchCaseCommandsRequest>,
) -> Result<BatchCaseCommandsResponse, Status> {
    let mut answer = BatchCaseCommandsResponse::default();
    let mut failed = Failed::default();
    let mut rows_before = 0;
    while let Some(message) = messages.message().await? {
        let rows = rows_of(message)?;
        let part = call.next_part(&CaseCommandRows { rows: rows.clone() });
        let about: Vec<_> = rows.iter().map(convert::cases::about).collect();
        let command = BatchCaseCommands {
            rows: read(rows),
            failed: failed.clone(),
            first_row: rows_before + 1,
            all_or_nothing: false,
            rights,
        };
        let carried_out: BatchCaseCommandsResponse = writer.execute(part, command).await?;
        // The answer may be an earlier one, to the same message: what failed is read from it either way.
        for error in &carried_out.errors {
            let place = usize::try_from(error.row - 1).unwrap_or(usize::MAX);
            about.get(place).into_iter().for_each(|about| failed.add(*about));
        }
        add(&mut answer, carried_out, rows_before);
        rows_before += i64::try_from(about.len()).unwrap_or(i64::MAX);
    }
    Ok(answer)
}

async fn whole(
    writer: &Writer<Policy>,
    mut call: Call,
    rights: Rights,
    mut messages: Streaming<BatchCaseCommandsRequest>,
) -> Result<BatchCaseCommandsResponse, Status> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(message) = messages.message().await? {
        bytes += message.encoded_len();
        rows.extend(rows_of(message)?);
        if rows.len() > WHOLE_ROWS || bytes > WHOLE_BYTES {
            return Err(misplaced("all_or_nothing", "is for batches of at most 50,000 rows and 64 MiB"));
        }
    }
    let part = call.next_part(&CaseCommandRows { rows: rows.clone() });
    let command =
        BatchCaseCommands { rows: read(rows), failed: Failed::default(), first_row: 1, all_or_nothing: true, rights };
    Ok(writer.execute(part, command).await?)
}

fn rows_of(message: BatchCaseCommandsRequest) -> Result<Vec<CaseCommand>, Status> {
    match message.part {
        Some(Part::Rows(rows)) => Ok(rows.rows),
        Some(Part::Options(_)) | None => Err(misplaced("options", "stand in the first message only")),
    }
}

/// Checks and reads each command by itself, so that one that is wrong harms no other case.
fn read(rows: Vec<CaseCommand>) -> Vec<Row> {
    let read = |row: CaseCommand| {
        let about = convert::cases::about(&row);
        let checked = rules::check(&row).map_err(|violations| Error::row(&violations));
        Row { about, command: checked.and_then(|()| row.try_into()) }
    };
    rows.into_iter().map(read).collect()
}

fn misplaced(field: &str, text: &str) -> Status {
    invalid_fields(&[Violation { field: field.to_owned(), message: text.to_owned() }])
}

fn add(answer: &mut BatchCaseCommandsResponse, other: BatchCaseCommandsResponse, rows_before: i64) {
    answer.accepted += other.accepted;
    answer.refused += other.refused;
    let room = ERRORS_NAMED.saturating_sub(answer.errors.len());
    let numbered = |error: RowError| RowError { row: error.row + rows_before, ..error };
    answer.errors.extend(other.errors.into_iter().take(room).map(numbered));
    answer.warned += other.warned;
    let room = WARNINGS_NAMED.saturating_sub(answer.warnings.len());
    let numbered = |warning: CaseCommandWarning| CaseCommandWarning { row: warning.row + rows_before, ..warning };
    answer.warnings.extend(other.warnings.into_iter().take(room).map(numbered));
}

impl From<CommandOutcomes> for BatchCaseCommandsResponse {
    fn from(CommandOutcomes(outcomes): CommandOutcomes) -> Self {
        let rows = outcomes.len();
        let warning = |(row, outcome): (i64, &Result<Vec<i32>, Error>)| {
            let rules = outcome.as_ref().ok().filter(|rules| !rules.is_empty())?.clone();
            Some(CaseCommandWarning { row, rules })
        };
        let mut warnings: Vec<CaseCommandWarning> = (1..).zip(&outcomes).filter_map(warning).collect();
        let warned = warnings.len();
        warnings.truncate(WARNINGS_NAMED);
        let refused = (1..).zip(outcomes).filter_map(|(row, outcome)| Some((row, outcome.err()?)));
        let error = |(row, error): (i64, Error)| error.of_row(row);
        let errors: Vec<RowError> = refused.map(error).collect();
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let (accepted, refused) = (count(rows - errors.len()), count(errors.len()));
        Self { accepted, refused, errors, warned: count(warned), warnings }
    }
}
