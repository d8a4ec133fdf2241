//! What a caller still sends when it is answered already.

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

/// Bytes that are read of it at most, and how long that may take.
const MOST: usize = 1 << 20;
const WITHIN: Duration = Duration::from_millis(500);

/// The rest of a request's body, once nobody else reads it.
///
/// HTTP/1 ends a connection whose caller is answered while it sends, and what it then sends takes the answer from it, often before
/// it has read why it was refused.
pub(super) struct Rest(Option<oneshot::Receiver<Body>>);

impl Rest {
    /// That of a request which may be refused before it is read.
    pub(super) fn of(request: Request<Body>) -> (Request<Body>, Self) {
        // Whoever waits to be told to go on has sent nothing yet.
        let sends_on = request.version() < Version::HTTP_2 && !request.headers().contains_key(EXPECT);
        if !sends_on || request.body().is_end_stream() {
            return (request, Self(None));
        }
        let (back, rest) = oneshot::channel();
        (request.map(|body| Body::new(Lent { body, back: Some(back) })), Self(Some(rest)))
    }

    /// Reads it and forgets it, as far as it is small and comes at once.
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
        // What has not come by then is not waited for.
        let _ = timeout(WITHIN, read).await;
    }
}

/// A body that is given back by whoever does not want it any more.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            // Nobody wants it.
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
