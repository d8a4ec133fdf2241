//! Streamed responses of work that goes on meanwhile.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status};
use tracing::Instrument as _;

/// What a method returns.
pub type Reply<T> = Result<Response<T>, Status>;

/// A streamed response.
pub type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Messages that wait for the caller to read them.
const WAITING: usize = 16;

/// The sending end of a streamed response.
#[derive(Debug)]
pub struct Answering<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Clone for Answering<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Answering<T> {
    /// Sends a message once the caller has room for it; returns whether the caller is still there.
    pub async fn send(&self, answer: T) -> bool {
        self.0.send(Ok(answer)).await.is_ok()
    }

    /// Sends a message of progress; it is dropped if the caller does not keep up.
    pub fn offer(&self, answer: T) {
        let _ = self.0.try_send(Ok(answer));
    }

    /// Whether the caller is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

/// A response whose messages come from a future, which runs in a task of its own within the trace of the request. An
/// error of the future is the last message.
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
            // A caller that has gone needs no answer.
            let _ = sender.send(Err(error.into())).await;
        }
    };
    tokio::spawn(task.in_current_span());
    Box::pin(ReceiverStream::new(stream))
}
