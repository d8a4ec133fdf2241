//! Warnings arrive in messages, each of which is carried out by itself. The response says only what the sender may
//! know.

use tongxin_platform::{
    access::Caller,
    grpc::MethodPath,
    request::{Call, Writer},
};
use tongxin_proto::{
    batch::v1::RowError,
    invalid_fields,
    monitoring::v1::{SubmitWarningsRequest, SubmitWarningsResponse, Warning, submit_warnings_request::Part},
    rules::{self, Violation},
};
use tonic::{Request, Status, Streaming};

use super::convert;
use crate::{
    commands::{Policy, SubmitWarnings, Submitted, WarningDraft},
    domain::signal::{Department, SignalRefused},
    error::Error,
};

/// Maximum number of malformed rows in a response.
const ERRORS_NAMED: usize = 1_000;

pub(super) async fn take(
    writer: &Writer<Policy>,
    request: Request<Streaming<SubmitWarningsRequest>>,
) -> Result<SubmitWarningsResponse, Status> {
    let caller = Caller::of(&request)?;
    let region = caller.region();
    let department = caller.department().and_then(Department::of_token).ok_or(SignalRefused::DepartmentMissing);
    let department = department.map_err(Error::from)?;
    let method = MethodPath::of(&request);
    let mut messages = request.into_inner();
    let Some(Part::Options(options)) = messages.message().await?.and_then(|message| message.part) else {
        return Err(misplaced("have to be in the first message"));
    };
    let mut call = Call::of_batch(caller, method, (&options.request_id, &options))?;
    let stated: Department = convert::named("options.department", options.department)?;
    if stated != department {
        return Err(Error::from(SignalRefused::DepartmentMismatch { token: department, stated }).into());
    }
    let mut answer = SubmitWarningsResponse::default();
    let mut rows_before = 0;
    while let Some(message) = messages.message().await? {
        let Some(Part::Rows(rows)) = message.part else { return Err(misplaced("stand in the first message only")) };
        let part = call.next_part(&rows);
        let count = i64::try_from(rows.rows.len()).unwrap_or(i64::MAX);
        let rows = rows.rows.iter().map(read).collect();
        add(&mut answer, writer.execute(part, SubmitWarnings { department, region, rows }).await?, rows_before);
        rows_before += count;
    }
    Ok(answer)
}

/// Checks and parses each row by itself, so that a malformed one harms no other.
fn read(row: &Warning) -> Result<WarningDraft, Error> {
    rules::check(row).map_err(|violations| Error::row(&violations))?;
    convert::signals::warning(row)
}

fn misplaced(text: &str) -> Status {
    invalid_fields(&[Violation::new("options", text)])
}

impl From<Submitted> for SubmitWarningsResponse {
    fn from(submitted: Submitted) -> Self {
        let malformed = i64::try_from(submitted.malformed.len()).unwrap_or(i64::MAX);
        let errors = submitted.malformed.into_iter().map(|(row, error)| error.of_row(row)).collect();
        Self { received: submitted.received, malformed, errors }
    }
}

fn add(answer: &mut SubmitWarningsResponse, part: SubmitWarningsResponse, rows_before: i64) {
    answer.received += part.received;
    answer.malformed += part.malformed;
    let room = ERRORS_NAMED.saturating_sub(answer.errors.len());
    let numbered = |error: RowError| RowError { row: error.row + rows_before, ..error };
    answer.errors.extend(part.errors.into_iter().take(room).map(numbered));
}
