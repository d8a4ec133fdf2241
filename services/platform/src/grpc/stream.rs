//! Outgoing responses: bounded in time, and watched to their end.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::Stream as _;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, StreamBody};
use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, body::Body};
use tracing::Instrument as _;

use super::{
    arrival::{Arrival, Held, Patience, stalled},
    bounded,
    shed::Shed,
    told,
};

type Passed = Result<Frame<Bytes>, Status>;

/// Size of a piece: data that is not taken costs at most two of them.
const PIECE: usize = 16 << 10;

/// A body that passes another one on, until a deadline and as long as it is taken; `ended` gets the status code of its
/// end.
///
/// The other body is driven by a task of its own: a reader that is too slow, or does not read at all, would otherwise
/// keep it as long as the connection lasts.
pub(super) fn until(
    moment: Instant,
    stall: Duration,
    body: Body,
    arrival: Option<Arrival>,
    ended: impl FnOnce(Code) + Send + 'static,
) -> Body {
    // One frame in flight, and room for the last word.
    let (frames, passed) = mpsc::channel::<Passed>(2);
    let last_word = frames.clone().try_reserve_owned().ok();
    let work = async move {
        let end = tokio::select! {
            end = pass_on(body, &frames, stall) => end,
            () = frames.closed() => End::Told(Code::Cancelled),
            () = sleep_until(moment) => End::Untold(given_up()),
        };
        // A request body that stalled is why the response broke off.
        let end = match (end, arrival.and_then(|arrival| arrival.fault())) {
            (End::Untold(_), Some(fault)) => End::Untold(fault),
            (end, _) => end,
        };
        let code = match end {
            End::Told(code) => code,
            End::Untold(status) => {
                let code = status.code();
                if let Some(last_word) = last_word {
                    last_word.send(Ok(bounded::end(told::end(&status))));
                }
                code
            }
        };
        ended(code);
    };
    tokio::spawn(work.in_current_span());
    Body::new(StreamBody::new(ReceiverStream::new(passed)))
}

/// How a response ends.
enum End {
    /// The response itself tells the caller.
    Told(Code),
    /// The caller has yet to be told.
    Untold(Status),
}

/// Passes all frames on and returns the code of the trailers.
async fn pass_on(mut body: Body, frames: &Sender<Passed>, stall: Duration) -> End {
    let mut code = Code::Unknown;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => bounded::end(told::explain_end(frame)),
            Err(status) => return End::Untold(status),
        };
        if let Some(trailers) = frame.trailers_ref() {
            code = super::status::code(trailers);
        }
        for piece in pieces(Ok(frame)) {
            match timeout(stall, frames.send(piece)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return End::Told(Code::Cancelled),
                Err(_) => return End::Untold(stalled("nothing of the answer was taken")),
            }
        }
    }
    End::Told(code)
}

/// A complete body that only has to be sent, within a time limit. Its request keeps its place until then.
pub(super) fn sent(mut body: Body, patience: Patience, held: Held, shed: Shed) -> Body {
    let size = body.size_hint();
    let (frames, passed) = mpsc::channel::<Passed>(2);
    let last_word = frames.clone().try_reserve_owned().ok();
    let work = async move {
        let all = async {
            while let Some(frame) = body.frame().await {
                for piece in pieces(frame) {
                    match timeout(patience.stall, frames.send(piece)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return true,
                        Err(_) => return false,
                    }
                }
            }
            // There is room again once the last piece was taken.
            timeout(patience.stall, frames.reserve()).await.is_ok()
        };
        let taken = tokio::select! {
            taken = all => taken,
            () = frames.closed() => true,
            () = tokio::time::sleep(patience.send) => false,
        };
        if let (false, Some(last_word)) = (taken, last_word) {
            shed.count("unread");
            // Cuts it off: half a response is none.
            last_word.send(Err(stalled("nothing of the answer was taken")));
        }
        drop(held);
    };
    tokio::spawn(work.in_current_span());
    Body::new(OfSize { frames: ReceiverStream::new(passed), size })
}

/// Frames of a body of known size, which HTTP/1 states in its headers.
struct OfSize {
    frames: ReceiverStream<Passed>,
    size: SizeHint,
}

impl http_body::Body for OfSize {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Passed>> {
        Pin::new(&mut self.frames).poll_next(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

fn pieces(frame: Passed) -> Vec<Passed> {
    match frame.map(Frame::into_data) {
        Ok(Ok(mut data)) => {
            let mut pieces = Vec::with_capacity(data.len().div_ceil(PIECE));
            while data.len() > PIECE {
                pieces.push(Ok(Frame::data(data.split_to(PIECE))));
            }
            pieces.push(Ok(Frame::data(data)));
            pieces
        }
        Ok(Err(frame)) => vec![Ok(frame)],
        Err(status) => vec![Err(status)],
    }
}

fn given_up() -> Status {
    told::late("the answer took too long: ask again for what is missing")
}
