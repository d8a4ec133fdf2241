//! Batches: options first, then rows. Each message is a request of its own, or all of them are one.

use std::{
    collections::{HashMap, hash_map::Entry},
    marker::PhantomData,
};

use sqlx::{Connection as _, PgConnection};
use tongxin_proto::{
    HasOutcome, Keyed, Part, Parts,
    batch::v1::{BatchOptions, Outcome, RowError, RowWarning, RuleWarning},
    invalid_fields,
    rules::{self, Rules, Violation},
};
use tonic::{Request, Status, Streaming};
use uuid::Uuid;

use super::{Answer, Call, Command, Context, Writer};
use crate::{
    access::Caller,
    error::{Error, ServiceRefusal},
    grpc::MethodPath,
};

/// Maximum number of rows of an all-or-nothing batch.
const WHOLE_ROWS: usize = 50_000;

/// Maximum size of its messages: all of them are in memory at once.
const WHOLE_BYTES: usize = 64 << 20;

/// Maximum number of rows of any other batch: its response has an identifier for each and has to fit into a message.
const PART_ROWS: i64 = 100_000;

/// Maximum number of refused rows, and of rows with warnings, in a response.
const ROWS_NAMED: usize = 1_000;

/// Rows in their order, or why each is refused.
#[derive(Debug)]
pub struct Rows<Draft, R: ServiceRefusal> {
    /// The rows. One that could not be parsed is refused with the others.
    pub rows: Vec<Result<Draft, Error<R>>>,
    /// Number of the first row in the batch, from 1.
    pub first_row: i64,
    /// Whether one refused row refuses all.
    pub all_or_nothing: bool,
}

impl<Draft, R: ServiceRefusal> Rows<Draft, R> {
    /// A single row, as a batch of its own.
    #[must_use]
    pub fn one(draft: Draft) -> Self {
        Self { rows: vec![Ok(draft)], first_row: 1, all_or_nothing: true }
    }

    /// The position of the rows in the batch, and whether the batch is all-or-nothing.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { first_row: self.first_row, all_or_nothing: self.all_or_nothing }
    }
}

/// The position of rows in a batch.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    first_row: i64,
    all_or_nothing: bool,
}

impl Place {
    /// Makes sure that an all-or-nothing batch has no refused row.
    ///
    /// # Errors
    /// [`Error::BatchRefused`], for the first refused row.
    pub fn accept<T, R: ServiceRefusal>(self, outcomes: &[Result<T, Error<R>>]) -> Result<(), Error<R>> {
        if !self.all_or_nothing {
            return Ok(());
        }
        let refused = (self.first_row..).zip(outcomes).find_map(|(row, outcome)| Some((row, outcome.as_ref().err()?)));
        refused.map_or(Ok(()), |(row, error)| Err(error.of_batch(row)))
    }
}

/// The outcome of a row that was carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The identifier of what was created, if any.
    pub id: Option<Uuid>,
    /// Numbers of the data-quality rules that warn of it.
    pub warnings: Vec<i32>,
}

impl Done {
    /// Something was created.
    #[must_use]
    pub const fn made(id: Uuid) -> Self {
        Self { id: Some(id), warnings: Vec::new() }
    }
}

/// The outcome of each row, in their order.
#[derive(Debug)]
pub struct Outcomes<R: ServiceRefusal>(pub Vec<Result<Done, Error<R>>>);

impl<R: ServiceRefusal> Outcomes<R> {
    /// Outcomes from the results of rows.
    pub fn of<T>(rows: Vec<Result<T, Error<R>>>, done: impl Fn(T) -> Done) -> Self {
        Self(rows.into_iter().map(|row| row.map(&done)).collect())
    }
}

impl<R: ServiceRefusal> From<Outcomes<R>> for Outcome {
    fn from(Outcomes(rows): Outcomes<R>) -> Self {
        let mut outcome = Self::default();
        let has_ids = rows.iter().flatten().any(|done| done.id.is_some());
        for (row, became) in (1..).zip(rows) {
            let id = match became {
                Ok(Done { id, warnings }) => {
                    outcome.accepted += 1;
                    if !warnings.is_empty() {
                        outcome.warned += 1;
                        let rules = warnings.into_iter().map(RuleWarning::of).collect();
                        outcome.warnings.push(RowWarning { row, rules });
                    }
                    id.map(|id| id.to_string())
                }
                Err(error) => {
                    outcome.refused += 1;
                    outcome.errors.push(error.of_row(row));
                    None
                }
            };
            if has_ids {
                outcome.ids.push(id.unwrap_or_default());
            }
        }
        outcome
    }
}

/// How a batch is carried out, message by message.
pub trait Batch: Send {
    /// Its messages.
    type Parts: Parts<Options = BatchOptions>;
    /// The command for some rows.
    type Command: Command<Error = Error<Self::Refused>, Output = Outcomes<Self::Refused>>;
    /// The refusals of rows.
    type Refused: ServiceRefusal;

    /// The command for the rows of a message, or of all messages.
    fn command(&mut self, rows: Vec<<Self::Parts as Parts>::Row>, first_row: i64, whole: bool) -> Self::Command;

    /// Is told the outcome of a message; it may be a stored one, if the message was sent before.
    fn carried_out(&mut self, _outcome: &Outcome) {}
}

type Of<Parts, Draft, R> = fn() -> (Parts, Draft, R);

/// A batch whose messages are independent of each other.
pub struct Independent<Parts, Draft, R, F> {
    command: F,
    of: PhantomData<Of<Parts, Draft, R>>,
}

impl<P, Draft, R, C, F> Batch for Independent<P, Draft, R, F>
where
    P: Parts<Options = BatchOptions>,
    R: ServiceRefusal,
    Draft: TryFrom<P::Row, Error = Error<R>>,
    C: Command<Error = Error<R>, Output = Outcomes<R>>,
    F: FnMut(Rows<Draft, R>) -> C + Send,
{
    type Parts = P;
    type Command = C;
    type Refused = R;

    fn command(&mut self, rows: Vec<P::Row>, first_row: i64, whole: bool) -> C {
        let rows = read_all(rows, first_row, Draft::try_from);
        (self.command)(Rows { rows, first_row, all_or_nothing: whole })
    }
}

/// A batch of drafts, which a command carries out.
pub fn independent<P, Draft, R, C, F>(command: F) -> Independent<P, Draft, R, F>
where
    Independent<P, Draft, R, F>: Batch<Parts = P, Command = C, Refused = R>,
    F: FnMut(Rows<Draft, R>) -> C,
    R: ServiceRefusal,
{
    Independent { command, of: PhantomData }
}

/// A batch each of whose rows is a draft, and a command by itself: `one` makes the command of a draft. For batches that are
/// small: each row takes statements of its own.
pub fn row_by_row<P, Draft, R, C>(
    one: fn(Draft) -> C,
) -> impl Batch<Parts = P, Command = RowByRow<Draft, R, C>, Refused = R>
where
    P: Parts<Options = BatchOptions>,
    R: ServiceRefusal,
    Draft: TryFrom<P::Row, Error = Error<R>> + Send + 'static,
    C: Command<Error = Error<R>> + 'static,
{
    independent(move |rows| RowByRow { rows, one })
}

/// Carries rows out one after the other.
pub struct RowByRow<Draft, R: ServiceRefusal, C> {
    rows: Rows<Draft, R>,
    one: fn(Draft) -> C,
}

impl<Draft: Send + 'static, R: ServiceRefusal, C: Command<Error = Error<R>> + 'static> Command
    for RowByRow<Draft, R, C>
{
    type Policy = C::Policy;
    type Output = Outcomes<R>;
    type Error = Error<R>;

    async fn apply(
        self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &C::Policy,
    ) -> Result<Outcomes<R>, Error<R>> {
        let place = self.rows.place();
        let outcomes = each(conn, context, policy, self.rows.rows, self.one).await?;
        place.accept(&outcomes)?;
        Ok(Outcomes(outcomes))
    }
}

/// Carries out the command of each row. What one that is refused has written is taken back.
pub(crate) async fn each<Draft, R: ServiceRefusal, C: Command<Error = Error<R>>>(
    conn: &mut PgConnection,
    context: &Context,
    policy: &C::Policy,
    rows: Vec<Result<Draft, Error<R>>>,
    one: fn(Draft) -> C,
) -> Result<Vec<Result<Done, Error<R>>>, Error<R>> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let mut trial = conn.begin().await?;
        let outcome = match row {
            Ok(draft) => one(draft).apply(&mut trial, context, policy).await.map(|_| Done::default()),
            Err(error) => Err(error),
        };
        if outcome.is_ok() {
            trial.commit().await?;
        } else {
            trial.rollback().await?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Checks rows against the contract and parses them, each by itself, so that an invalid row harms no other. One that is
/// about the same as an earlier one of them is refused. The first has a number.
pub fn read_all<Row: Rules + Keyed, Draft, R: ServiceRefusal>(
    rows: Vec<Row>,
    first_row: i64,
    read_one: impl Fn(Row) -> Result<Draft, Error<R>>,
) -> Vec<Result<Draft, Error<R>>> {
    let mut first_about: HashMap<Vec<u8>, i64> = HashMap::new();
    let mut earlier = |row: &Row, number: i64| match first_about.entry(row.key()?) {
        Entry::Occupied(first) => Some(*first.get()),
        Entry::Vacant(place) => {
            place.insert(number);
            None
        }
    };
    let read_row = |(number, row): (i64, Row)| {
        if let Some(earlier) = earlier(&row, number) {
            return Err(Error::RowTwice(Some(earlier)));
        }
        rules::check(&row).map_err(|violations| Error::row(&violations))?;
        read_one(row)
    };
    (first_row..).zip(rows).map(read_row).collect()
}

/// Carries out a batch according to its options.
///
/// # Errors
/// If its messages are out of order or too many, or an all-or-nothing batch has a refused row.
pub async fn carry_out<B, Policy, Reply>(
    writer: &Writer<Policy>,
    request: Request<Streaming<B::Parts>>,
    mut batch: B,
) -> Result<Reply, Status>
where
    B: Batch,
    B::Command: Command<Policy = Policy>,
    Policy: Send + Sync + 'static,
    Reply: Answer<Policy, Error = Error<B::Refused>> + HasOutcome,
{
    let caller = Caller::of(&request)?;
    let method = MethodPath::of(&request);
    let mut messages = request.into_inner();
    let Some(Part::Options(options)) = messages.message().await?.and_then(Parts::take_apart) else {
        return Err(misplaced("options", "have to be in the first message"));
    };
    let mut call = Call::of_batch(caller, method, (&options.request_id, &options))?;
    let mut all = Outcome::default();
    if options.all_or_nothing {
        let rows = all_rows::<B::Parts>(messages).await?;
        add(&mut all, part::<B, Policy, Reply>(writer, &mut call, &mut batch, (rows, 1, true)).await?, 0);
        return Ok(all.into());
    }
    let mut rows_before = 0;
    while let Some(message) = messages.message().await? {
        let rows = rows_of(message)?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if rows_before + count > PART_ROWS {
            let text = "are at most 100,000 in a batch; those of the messages before are carried out: send the others under \
                        a request_id of their own";
            return Err(misplaced("rows", text));
        }
        let place = (rows, rows_before + 1, false);
        let outcome = part::<B, Policy, Reply>(writer, &mut call, &mut batch, place).await?;
        batch.carried_out(&outcome);
        add(&mut all, outcome, rows_before);
        rows_before += count;
    }
    Ok(all.into())
}

async fn part<B, Policy, Reply>(
    writer: &Writer<Policy>,
    call: &mut Call,
    batch: &mut B,
    (rows, first_row, whole): (Vec<<B::Parts as Parts>::Row>, i64, bool),
) -> Result<Outcome, Status>
where
    B: Batch,
    B::Command: Command<Policy = Policy>,
    Policy: Send + Sync + 'static,
    Reply: Answer<Policy, Error = Error<B::Refused>> + HasOutcome,
{
    let part = call.next_part(&B::Parts::of_rows(0, rows.clone()));
    let command = batch.command(rows, first_row, whole);
    let answer = writer.execute_as(part, command, |outcomes| Reply::from(Outcome::from(outcomes)));
    let reply: Reply = answer.await.map_err(|error| error.identified_in("options"))?;
    Ok(reply.into_outcome())
}

async fn all_rows<P: Parts>(mut messages: Streaming<P>) -> Result<Vec<P::Row>, Status> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(message) = messages.message().await? {
        bytes += message.encoded_len();
        rows.extend(rows_of(message)?);
        if rows.len() > WHOLE_ROWS || bytes > WHOLE_BYTES {
            return Err(misplaced("all_or_nothing", "is for batches of at most 50,000 rows and 64 MiB"));
        }
    }
    Ok(rows)
}

fn rows_of<P: Parts>(message: P) -> Result<Vec<P::Row>, Status> {
    match message.take_apart() {
        Some(Part::Rows { rows, .. }) => Ok(rows),
        Some(Part::Options(_)) | None => Err(misplaced("options", "stand in the first message only")),
    }
}

/// A part of a stream of rows in the wrong place.
pub(crate) fn misplaced(field: &str, text: &str) -> Status {
    invalid_fields(&[Violation::new(field, text)])
}

/// Adds the outcome of the rows after the first `rows_before`.
fn add(all: &mut Outcome, part: Outcome, rows_before: i64) {
    let rows = |accepted: i64, refused: i64| usize::try_from(accepted + refused).unwrap_or(usize::MAX);
    if !all.ids.is_empty() || !part.ids.is_empty() {
        // Each row has an entry, also those of a message of which all were refused.
        all.ids.resize(rows(all.accepted, all.refused), String::new());
        all.ids.extend(part.ids);
        all.ids.resize(rows(all.accepted + part.accepted, all.refused + part.refused), String::new());
    }
    all.accepted += part.accepted;
    all.refused += part.refused;
    all.warned += part.warned;
    let room = ROWS_NAMED.saturating_sub(all.errors.len());
    let numbered = |error: RowError| RowError { row: error.row + rows_before, ..error };
    all.errors.extend(part.errors.into_iter().take(room).map(numbered));
    let room = ROWS_NAMED.saturating_sub(all.warnings.len());
    let numbered = |warning: RowWarning| RowWarning { row: warning.row + rows_before, ..warning };
    all.warnings.extend(part.warnings.into_iter().take(room).map(numbered));
}
