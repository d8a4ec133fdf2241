//! Imports: options first, then rows. While the rows of one message are written, those of the next are read, checked
//! and prepared.

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tongxin_proto::{
    Keyed, Part, Parts,
    batch::v1::{ImportOptions, ImportStatus},
    rules::Rules,
};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    ImportId,
    take::{DryRun, Imported, TakeRows, Taken},
};
use crate::{
    access::Caller,
    error::Error,
    grpc::{Answering, Answers, Pace, Reply, answers},
    request::{Context, RequestError, Writer, batch},
};

/// Parses a row and does everything that can be done before it is written, on a thread where it may block.
pub type Prepare<Row, I> =
    fn(Row, &<I as Imported>::Policy, &Context) -> Result<<I as Imported>::Ready, Error<<I as Imported>::Refused>>;

/// Prepared rows and the number of the first.
struct Ready<I: Imported>(i64, Vec<Result<I::Ready, Error<I::Refused>>>);

/// Runs an import, and responds after each message. When the caller goes away, the import ends after the message that
/// is being written.
///
/// # Errors
/// When the request did not come through the door.
pub fn answer<P, I, Answer>(
    writer: &Writer<I::Policy>,
    request: Request<Streaming<P>>,
    imported: fn(dry_run: bool) -> I,
    prepare: Prepare<P::Row, I>,
) -> Reply<Answers<Answer>>
where
    P: Parts<Options = ImportOptions>,
    I: Imported,
    Answer: From<ImportStatus> + Send + 'static,
{
    let caller = Caller::of(&request)?;
    let pace = Pace::of(&request);
    let import = Import { writer: writer.clone(), caller, prepare };
    let messages = request.into_inner();
    Ok(Response::new(answers(move |answering| import.take(messages, imported, answering, pace))))
}

/// What an import needs to go on.
struct Import<Row, I: Imported> {
    writer: Writer<I::Policy>,
    caller: Caller,
    prepare: Prepare<Row, I>,
}

impl<Row, I: Imported> Clone for Import<Row, I> {
    fn clone(&self) -> Self {
        Self { writer: self.writer.clone(), caller: self.caller.clone(), prepare: self.prepare }
    }
}

impl<Row: Rules + Keyed + Send + 'static, I: Imported> Import<Row, I> {
    async fn take<P, Answer>(
        self,
        mut messages: Streaming<P>,
        imported: fn(bool) -> I,
        answering: Answering<Answer>,
        pace: Pace,
    ) -> Result<(), Status>
    where
        P: Parts<Options = ImportOptions, Row = Row>,
        Answer: From<ImportStatus> + Send + 'static,
    {
        let Some(Part::Options(options)) = messages.message().await?.and_then(P::take_apart) else {
            return Err(batch::misplaced("options", "have to be in the first message"));
        };
        let id = Uuid::try_parse(&options.import_id);
        let id = id.map_err(|_| batch::misplaced("options.import_id", "has to be a UUID"))?;
        let import = ImportId(id);
        let mut imported = imported(options.dry_run);
        let mut dry_run = options.dry_run.then(DryRun::default);

        let (ahead, mut ready) = mpsc::channel(1);
        let reader = tokio::spawn(self.clone().read_ahead(messages, ahead).in_current_span());
        // A refused caller may go on sending: nobody reads it any more.
        let _reader = AbortOnDropHandle::new(reader);
        while let Some(Ready(first_row, rows)) = ready.recv().await.transpose()? {
            let command = TakeRows { imported, import, dry_run, first_row, rows };
            // A caller that waits for the response to one message before it sends the next does not stall.
            let _working = pace.working();
            let taken: Taken<I> = self.writer.execute_each_time(&self.caller, command).await?;
            if !answering.send(taken.status.into()).await {
                return Ok(());
            }
            Taken { imported, dry_run, .. } = taken;
        }
        Ok(())
    }

    /// Prepares rows, at most two messages ahead of the one that is being written.
    async fn read_ahead<P: Parts<Row = Row>>(
        self,
        mut messages: Streaming<P>,
        ahead: mpsc::Sender<Result<Ready<I>, Status>>,
    ) {
        loop {
            let ready = match messages.message().await {
                Ok(Some(message)) => self.make_ready(message).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let is_last = ready.is_err();
            if ahead.send(ready).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn make_ready<P: Parts<Row = Row>>(&self, message: P) -> Result<Ready<I>, Status> {
        let Some(Part::Rows { first_row, rows }) = message.take_apart() else {
            return Err(batch::misplaced("options", "stand in the first message only"));
        };
        let Self { writer, caller, prepare } = self.clone();
        let context = Context::of(&caller, writer.now());
        let ready = move || batch::read_all(rows, first_row, |row| prepare(row, writer.policy(), &context));
        // Checking and sealing is CPU-bound: it must not block other tasks.
        let work = tokio::task::spawn_blocking(ready);
        let rows = work.await.map_err(|error| Error::<I::Refused>::from(RequestError::Panicked(error)))?;
        Ok(Ready(first_row, rows))
    }
}
