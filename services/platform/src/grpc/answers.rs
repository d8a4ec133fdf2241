//! Answers that come one after the other, while work goes on.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status};
use tracing::Instrument as _;

/// What a method returns.
pub type Reply<T> = Result<Response<T>, Status>;

/// Answers that come one after the other.
pub type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Answers that wait for a caller to read them.
const WAITING: usize = 16;

/// Where work puts its answers.
#[derive(Debug)]
pub struct Answering<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Clone for Answering<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Answering<T> {
    /// Gives an answer, once the caller has room for it; says whether the caller is still there.
    pub async fn send(&self, answer: T) -> bool {
        self.0.send(Ok(answer)).await.is_ok()
    }

    /// Gives an answer that is left out where the caller does not keep up with reading: progress.
    pub fn offer(&self, answer: T) {
        let _ = self.0.try_send(Ok(answer));
    }

    /// Whether nobody waits for answers any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

/// Answers with what some work gives, which goes on in a task of its own, within the trace of the request. An error of the
/// work is the last answer.
pub fn answers<T, Work, Outcome, Error>(work: Work) -> Answers<T>
where
    T: Send + 'static,
    Work: FnOnce(Answering<T>) -> Outcome,
    Outcome: Future<Output = Result<(), Error>> + Send + 'static,
    Error: Into<Status> + Send,
{
    let (sender, stream) = mpsc::channel(WAITING);
    let outcome = work(Answering(sender.clone()));
    let task = async move {
        if let Err(error) = outcome.await {
            // A caller who has gone needs no answer.
            let _ = sender.send(Err(error.into())).await;
        }
    };
    tokio::spawn(task.in_current_span());
    Box::pin(ReceiverStream::new(stream))
}
