//! The rest of a request that was answered early.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Version, header::EXPECT};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::{sync::oneshot, time::timeout};
use tonic::{Status, body::Body};

/// Maximum number of bytes to drain, and maximum time for it.
const MOST: usize = 1 << 20;
const WITHIN: Duration = Duration::from_millis(500);

/// The rest of a request's body, once it has no other reader.
///
/// HTTP/1 closes a connection whose request is answered before its end. Bytes that arrive afterwards reset it, often
/// before the caller has read why it was refused.
pub(super) struct Rest(Option<oneshot::Receiver<Body>>);

impl Rest {
    /// For a request that may be refused before it is read.
    pub(super) fn of(request: Request<Body>) -> (Request<Body>, Self) {
        // A client that waits for `100 Continue` has sent nothing yet.
        let sends_on = request.version() < Version::HTTP_2 && !request.headers().contains_key(EXPECT);
        if !sends_on || request.body().is_end_stream() {
            return (request, Self(None));
        }
        let (back, rest) = oneshot::channel();
        (request.map(|body| Body::new(Lent { body, back: Some(back) })), Self(Some(rest)))
    }

    /// Drains the body, up to a limit of size and time.
    pub(super) async fn read(self) {
        let Self(Some(rest)) = self else { return };
        let read = async {
            let Ok(mut body) = rest.await else { return };
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > MOST {
                    return;
                }
            }
        };
        // Gives up after that time.
        let _ = timeout(WITHIN, read).await;
    }
}

/// A body that is handed back when its reader drops it.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            // Fails if no one drains it.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
