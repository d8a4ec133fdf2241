//! Imports: options first, then rows. While the rows of one message are written, those of the next are read,
//! checked and made ready.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tongxin_platform::{
    access::Caller,
    grpc::Pace,
    request::{Context, RequestError},
};
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    invalid_fields,
    rules::{self, Rules, Violation},
};
use tonic::{Request, Status, Streaming};
use tracing::Instrument as _;

use super::{Door, convert};
use crate::{
    commands::{Imported, Policy, TakeRows, Taken},
    domain::{ImportId, import::Progress},
    error::Error,
};

/// Answers after each message.
pub(super) type Answers<Answer> = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

/// Answers that may wait for a caller to read them.
const ANSWERS_WAITING: usize = 16;

/// A message of an import that the contract knows.
pub(super) trait Import: Send + 'static {
    /// A row of it.
    type Row: Rules + Send + 'static;
    /// What keeps the rows.
    type Imported: Imported;
    /// An answer to it.
    type Answer: Send + 'static;

    /// Takes the message apart.
    fn part(self) -> Option<Part<Self::Row>>;

    /// What keeps the rows of one call.
    fn imported(dry_run: bool) -> Self::Imported;

    /// Reads a row, and does all that can be done before it is written. Runs where it may take its time.
    fn prepare(row: Self::Row, policy: &Policy, context: &Context) -> Result<ReadyOf<Self>, Error>;

    /// An answer that says how far the import has come.
    fn answer(status: ImportStatus) -> Self::Answer;
}

/// A row that is ready to be written.
type ReadyOf<I> = <<I as Import>::Imported as Imported>::Ready;

/// What a message of an import holds.
pub(super) enum Part<Row> {
    /// The first message: how to carry it out.
    Options(ImportOptions),
    /// The others: rows, and the number of the first.
    Rows(i64, Vec<Row>),
}

/// Rows that are ready to be written, and the number of the first.
struct Ready<I: Import>(i64, Vec<Result<ReadyOf<I>, Error>>);

/// Carries an import out. A caller who goes away ends it after the message that is being written.
pub(super) fn answer<I: Import>(door: &Door, request: Request<Streaming<I>>) -> Result<Answers<I::Answer>, Status> {
    let caller = Caller::of(&request)?;
    let (answers, stream) = mpsc::channel(ANSWERS_WAITING);
    let pace = Pace::of(&request);
    let messages = request.into_inner();
    let door = door.clone();
    let work = async move {
        if let Err(status) = take::<I>(&door, &caller, messages, (&answers, &pace)).await {
            // A caller who has gone needs no answer.
            let _ = answers.send(Err(status)).await;
        }
    };
    tokio::spawn(work.in_current_span());
    Ok(Box::pin(ReceiverStream::new(stream)))
}

async fn take<I: Import>(
    door: &Door,
    caller: &Caller,
    mut messages: Streaming<I>,
    (answers, pace): (&mpsc::Sender<Result<I::Answer, Status>>, &Pace),
) -> Result<(), Status> {
    let Some(Part::Options(options)) = messages.message().await?.and_then(I::part) else {
        return Err(misplaced("options", "have to be in the first message"));
    };
    let import = ImportId(convert::uuid("options.import_id", &options.import_id)?);
    let mut imported = I::imported(options.dry_run);
    let mut dry = options.dry_run.then(Progress::default);

    let (ahead, mut ready) = mpsc::channel(1);
    let reader = tokio::spawn(read_ahead(door.clone(), caller.clone(), messages, ahead).in_current_span());
    // Whoever is refused may go on sending: nobody listens any more.
    let _reader = AbortOnDropHandle::new(reader);
    while let Some(Ready(first_row, rows)) = ready.recv().await.transpose()? {
        let command = TakeRows { imported, import, dry, first_row, rows };
        // Whoever waits for the answer to one message before it sends the next keeps nobody waiting.
        let _working = pace.working();
        let taken: Taken<I::Imported> = door.writer.execute_each_time(caller, command).await?;
        let status = convert::import_status(import, taken.progress, taken.errors);
        if answers.send(Ok(I::answer(status))).await.is_err() {
            return Ok(());
        }
        imported = taken.imported;
        dry = dry.map(|_| taken.progress);
    }
    Ok(())
}

/// Makes rows ready, at most two messages ahead of what is being written.
async fn read_ahead<I: Import>(
    door: Door,
    caller: Caller,
    mut messages: Streaming<I>,
    ahead: mpsc::Sender<Result<Ready<I>, Status>>,
) {
    loop {
        let ready = match messages.message().await {
            Ok(Some(message)) => make_ready(&door, &caller, message).await,
            Ok(None) => return,
            Err(status) => Err(status),
        };
        let is_last = ready.is_err();
        if ahead.send(ready).await.is_err() || is_last {
            return;
        }
    }
}

async fn make_ready<I: Import>(door: &Door, caller: &Caller, message: I) -> Result<Ready<I>, Status> {
    let Some(Part::Rows(first_row, rows)) = message.part() else {
        return Err(misplaced("options", "stand in the first message only"));
    };
    let context = Context::of(caller, door.clock.now());
    let writer = door.writer.clone();
    let prepare = move |row: I::Row| {
        rules::check(&row).map_err(|violations| Error::row(&violations))?;
        I::prepare(row, writer.policy(), &context)
    };
    // Checking and sealing keeps a core busy: others wait for none of it.
    let work = tokio::task::spawn_blocking(move || rows.into_iter().map(prepare).collect());
    let rows = work.await.map_err(|error| Error::from(RequestError::Panicked(error)))?;
    Ok(Ready(first_row, rows))
}

fn misplaced(field: &str, text: &str) -> Status {
    invalid_fields(&[Violation { field: field.to_owned(), message: text.to_owned() }])
}
