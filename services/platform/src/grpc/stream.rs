//! Answers that stream: bounded in time, and watched to their end.

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, body::Body};
use tracing::Instrument as _;

use super::{bounded, too_large};

type Passed = Result<Frame<Bytes>, Status>;

/// A body that passes on another one until a moment at most; `ended` learns the code of the end.
///
/// The other body is driven by a task of its own: a reader who is too slow, or does not read at all, would
/// otherwise keep it as long as the connection lasts.
pub(super) fn until(moment: Instant, body: Body, ended: impl FnOnce(Code) + Send + 'static) -> Body {
    // One frame on its way, and a place for the last word.
    let (frames, passed) = mpsc::channel::<Passed>(2);
    let last_word = frames.clone().try_reserve_owned().ok();
    let work = async move {
        let code = tokio::select! {
            code = pass_on(body, &frames) => code,
            () = frames.closed() => Code::Cancelled,
            () = sleep_until(moment) => Code::DeadlineExceeded,
        };
        if let (Code::DeadlineExceeded, Some(last_word)) = (code, last_word) {
            last_word.send(Ok(given_up()));
        }
        ended(code);
    };
    tokio::spawn(work.in_current_span());
    Body::new(StreamBody::new(ReceiverStream::new(passed)))
}

/// Passes all frames on and returns the code that the trailers state.
async fn pass_on(mut body: Body, frames: &Sender<Passed>) -> Code {
    let mut code = Code::Unknown;
    while let Some(frame) = body.frame().await {
        let frame = frame.map(too_large::explain_end).map(bounded::end);
        if let Some(trailers) = frame.as_ref().ok().and_then(Frame::trailers_ref) {
            code = super::door::code(trailers);
        }
        if frames.send(frame).await.is_err() {
            return Code::Cancelled;
        }
    }
    code
}

fn given_up() -> Frame<Bytes> {
    too_large::end(&Status::deadline_exceeded("the answer took too long: ask again for what is missing"))
}
