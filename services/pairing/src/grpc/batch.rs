//! Batches: options first, then rows, each message a request of its own or all of them one.

use prost::Message;
use tongxin_platform::{
    access::Caller,
    grpc::MethodPath,
    request::{self, Call, Command, Writer},
};
use tongxin_proto::{
    batch::v1::{BatchOptions, RowError},
    invalid_fields,
    pairing::v1,
    rules::{self, Rules, Violation},
};
use tonic::{Request, Status, Streaming};

use crate::{
    commands::{EstablishPairings, Policy, RegisterOrganisations, Rows},
    domain::{organisation::OrganisationDraft, pairing::PairingDraft},
    error::Error,
};

/// Rows of a batch that is carried out as a whole.
const WHOLE_ROWS: usize = 50_000;

/// Bytes of its messages: all of them are in memory at once.
const WHOLE_BYTES: usize = 64 << 20;

/// Rows of one that is not: its answer has an identifier for each, and has to fit into a message.
const PART_ROWS: i64 = 100_000;

/// Refused rows that an answer names.
const ERRORS_NAMED: usize = 1_000;

/// A batch that the contract knows.
pub(super) trait Batch: Message + Default + 'static {
    type Row: Rules + Message + Default + Clone;
    type Draft: TryFrom<Self::Row, Error = Error>;
    type Command: Command<Policy = Policy, Error = Error>;
    type Answer: Answer + request::Answer<Policy, Error = Error> + From<<Self::Command as Command>::Output>;

    fn part(self) -> Option<Part<Self::Row>>;
    fn rows(rows: Vec<Self::Row>) -> Self;
    fn command(rows: Rows<Self::Draft>, first_row: i64, all_or_nothing: bool) -> Self::Command;
}

/// What a message of a batch holds.
pub(super) enum Part<Row> {
    Options(BatchOptions),
    Rows(Vec<Row>),
}

/// The answer to a batch, in parts or whole.
pub(super) trait Answer {
    fn new(ids: Vec<String>, errors: Vec<RowError>) -> Self;
    fn add(&mut self, other: Self, rows_before: i64);
}

/// Carries a batch out as its options say.
pub(super) async fn carry_out<B: Batch>(
    writer: &Writer<Policy>,
    request: Request<Streaming<B>>,
) -> Result<B::Answer, Status> {
    let caller = Caller::of(&request)?;
    let method = MethodPath::of(&request);
    let mut messages = request.into_inner();
    let Some(Part::Options(options)) = messages.message().await?.and_then(B::part) else {
        return Err(misplaced("options", "have to be in the first message"));
    };
    let call = Call::of_batch(caller, method, (&options.request_id, &options))?;
    if options.all_or_nothing { whole(writer, call, messages).await } else { by_message(writer, call, messages).await }
}

async fn by_message<B: Batch>(
    writer: &Writer<Policy>,
    mut call: Call,
    mut messages: Streaming<B>,
) -> Result<B::Answer, Status> {
    let mut answer = B::Answer::default();
    let mut rows_before = 0;
    while let Some(message) = messages.message().await? {
        let rows = rows_of(message)?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if rows_before + count > PART_ROWS {
            let text = "are at most 100,000 in a batch; those of the messages before are carried out: send the others under \
                        a request_id of their own";
            return Err(misplaced("rows", text));
        }
        let part = call.next_part(&B::rows(rows.clone()));
        let command = B::command(read_rows::<B>(rows), rows_before + 1, false);
        let done = writer.execute(part, command).await.map_err(|error| error.identified_in("options"))?;
        answer.add(done, rows_before);
        rows_before += count;
    }
    Ok(answer)
}

async fn whole<B: Batch>(
    writer: &Writer<Policy>,
    mut call: Call,
    mut messages: Streaming<B>,
) -> Result<B::Answer, Status> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(message) = messages.message().await? {
        bytes += message.encoded_len();
        rows.extend(rows_of(message)?);
        if rows.len() > WHOLE_ROWS || bytes > WHOLE_BYTES {
            return Err(misplaced("all_or_nothing", "is for batches of at most 50,000 rows and 64 MiB"));
        }
    }
    let part = call.next_part(&B::rows(rows.clone()));
    let command = B::command(read_rows::<B>(rows), 1, true);
    Ok(writer.execute(part, command).await.map_err(|error| error.identified_in("options"))?)
}

fn rows_of<B: Batch>(message: B) -> Result<Vec<B::Row>, Status> {
    match message.part() {
        Some(Part::Rows(rows)) => Ok(rows),
        Some(Part::Options(_)) | None => Err(misplaced("options", "stand in the first message only")),
    }
}

/// Checks and reads each row by itself, so that one that is wrong harms no other.
fn read_rows<B: Batch>(rows: Vec<B::Row>) -> Rows<B::Draft> {
    let read = |row: B::Row| {
        rules::check(&row).map_err(|violations| Error::row(&violations))?;
        B::Draft::try_from(row)
    };
    rows.into_iter().map(read).collect()
}

fn misplaced(field: &str, text: &str) -> Status {
    invalid_fields(&[Violation { field: field.to_owned(), message: text.to_owned() }])
}

/// The identifier of each row, empty for a refused one, and the refused rows.
pub(super) fn report<T>(outcomes: Rows<T>, id: impl Fn(&T) -> String) -> (Vec<String>, Vec<RowError>) {
    let mut ids = Vec::with_capacity(outcomes.len());
    let mut errors = Vec::new();
    for (row, outcome) in (1..).zip(outcomes) {
        match outcome {
            Ok(value) => ids.push(id(&value)),
            Err(error) => {
                ids.push(String::new());
                errors.push(error.of_row(row));
            }
        }
    }
    (ids, errors)
}

macro_rules! batch {
    ($request:ident, $part:ident, $rows:ident, $row:ident, $draft:ident, $command:ident, $answer:ident, $ids:ident) => {
        impl Batch for v1::$request {
            type Row = v1::$row;
            type Draft = $draft;
            type Command = $command;
            type Answer = v1::$answer;

            fn part(self) -> Option<Part<v1::$row>> {
                self.part.map(|part| match part {
                    v1::$part::Part::Options(options) => Part::Options(options),
                    v1::$part::Part::Rows(rows) => Part::Rows(rows.rows),
                })
            }

            fn rows(rows: Vec<v1::$row>) -> Self {
                Self { part: Some(v1::$part::Part::Rows(v1::$rows { rows })) }
            }

            fn command(rows: Rows<$draft>, first_row: i64, all_or_nothing: bool) -> $command {
                $command { rows, first_row, all_or_nothing }
            }
        }

        impl Answer for v1::$answer {
            fn new(ids: Vec<String>, errors: Vec<RowError>) -> Self {
                let refused = i64::try_from(errors.len()).unwrap_or(i64::MAX);
                let accepted = i64::try_from(ids.len()).unwrap_or(i64::MAX) - refused;
                Self { accepted, refused, errors, $ids: ids }
            }

            fn add(&mut self, other: Self, rows_before: i64) {
                self.accepted += other.accepted;
                self.refused += other.refused;
                self.$ids.extend(other.$ids);
                let room = ERRORS_NAMED.saturating_sub(self.errors.len());
                let numbered = |error: RowError| RowError { row: error.row + rows_before, ..error };
                self.errors.extend(other.errors.into_iter().take(room).map(numbered));
            }
        }
    };
}

batch!(
    BatchRegisterOrganisationsRequest,
    batch_register_organisations_request,
    OrganisationRows,
    OrganisationDraft,
    OrganisationDraft,
    RegisterOrganisations,
    BatchRegisterOrganisationsResponse,
    organisation_ids
);
batch!(
    BatchEstablishPairingsRequest,
    batch_establish_pairings_request,
    PairingRows,
    PairingDraft,
    PairingDraft,
    EstablishPairings,
    BatchEstablishPairingsResponse,
    pairing_ids
);
