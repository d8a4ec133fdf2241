//! Coalesces the frames of request bodies.
//!
//! A service closes a connection, and with it the calls of all callers, if too many small frames wait to be read, or
//! after some empty ones.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::task::AtomicWaker;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body};

/// Size from which a frame is sent as it is, in bytes.
const LARGE: usize = 16 << 10;

/// Number of smaller frames that may be sent at once. The service tolerates thirty times as many on all streams of a
/// connection together.
const AT_ONCE: u32 = 8;

/// Interval after which another one may be sent, so that slow and small messages arrive, too.
const LATER: Duration = Duration::from_secs(1);

/// A body whose small frames are coalesced as far as they are available; beyond a few, they wait for more.
pub(super) struct Packed {
    body: Body,
    buffer: BytesMut,
    /// The frame after the buffer.
    next: Option<Result<Frame<Bytes>, Status>>,
    over: bool,
    sent: u32,
    later: Option<Pin<Box<Sleep>>>,
    answered: Answered,
}

/// Whether the service has responded with something: then it has read the frames sent so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_new: AtomicBool,
    waker: AtomicWaker,
}

impl Answered {
    pub(super) fn again(&self) {
        self.0.is_new.store(true, SeqCst);
        self.0.waker.wake();
    }
}

impl Packed {
    pub(super) fn new(body: Body, answered: Answered) -> Self {
        Self { body, buffer: BytesMut::new(), next: None, over: false, sent: 0, later: None, answered }
    }

    /// Reads available frames until the buffer is large enough.
    fn fill(&mut self, context: &mut Context<'_>) {
        while self.next.is_none() && !self.over && self.buffer.len() < LARGE {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return,
                Poll::Ready(None) => self.over = true,
                Poll::Ready(Some(Err(status))) => self.next = Some(Err(status)),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.len() >= LARGE => self.next = Some(Ok(Frame::data(data))),
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(trailers) => self.next = Some(Ok(trailers)),
                },
            }
        }
    }

    /// Waits for the first frame.
    pub(super) fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.fill(context);
        let is_there = !self.buffer.is_empty() || self.next.is_some() || self.over;
        if is_there { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether a small frame may be sent now, without waiting for more.
    fn may_go(&mut self, context: &mut Context<'_>) -> bool {
        self.answered.0.waker.register(context.waker());
        if self.answered.0.is_new.swap(false, SeqCst) {
            self.sent = 0;
            self.later = None;
        }
        if self.sent < AT_ONCE {
            self.sent += 1;
            return true;
        }
        let later = self.later.get_or_insert_with(|| Box::pin(sleep(LATER)));
        if later.as_mut().poll(context).is_pending() {
            return false;
        }
        self.later = None;
        true
    }
}

impl HttpBody for Packed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.fill(context);
        let is_whole = self.next.is_some() || self.over || self.buffer.len() >= LARGE;
        if self.buffer.is_empty() {
            return match self.next.take() {
                Some(next) => {
                    self.over |= next.is_err();
                    Poll::Ready(Some(next))
                }
                None if self.over => Poll::Ready(None),
                None => Poll::Pending,
            };
        }
        if is_whole || self.may_go(context) {
            return Poll::Ready(Some(Ok(Frame::data(self.buffer.split().freeze()))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.buffer.is_empty() && self.next.is_none() && (self.over || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        // Unknown, because the forwarding layer sends no length.
        SizeHint::new()
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::time::{Instant, timeout};

    use super::*;

    fn pieces(pieces: Vec<Bytes>) -> impl futures::Stream<Item = Result<Frame<Bytes>, Status>> {
        stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece))))
    }

    async fn sizes(body: &mut Packed) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some(frame) = body.frame().await {
            sizes.push(frame.unwrap().into_data().unwrap().len());
        }
        sizes
    }

    #[tokio::test]
    async fn what_is_there_goes_in_large_frames_and_in_its_order() {
        let sent: Vec<Bytes> = (0..20_000_u32).map(|number| Bytes::copy_from_slice(&number.to_be_bytes())).collect();
        let body = Packed::new(Body::new(StreamBody::new(pieces(sent.clone()))), Answered::default());
        assert_eq!(body.collect().await.unwrap().to_bytes(), sent.concat());
        let mut body = Packed::new(Body::new(StreamBody::new(pieces(sent))), Answered::default());
        assert_eq!(sizes(&mut body).await, [LARGE, LARGE, LARGE, LARGE, 80_000 - 4 * LARGE]);

        let mixed = vec![Bytes::new(), Bytes::from_static(b"x"), Bytes::from(vec![0; LARGE * 2]), Bytes::new()];
        let mut body = Packed::new(Body::new(StreamBody::new(pieces(mixed))), Answered::default());
        assert_eq!(sizes(&mut body).await, [1, LARGE * 2], "none is empty");
    }

    #[tokio::test]
    async fn what_came_before_an_error_goes_before_it() {
        let broken = pieces(vec![Bytes::from_static(b"x")]).chain(stream::iter([Err(Status::internal("broken"))]));
        let mut body = Packed::new(Body::new(StreamBody::new(broken)), Answered::default());
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }

    /// One byte every 10 ms.
    #[tokio::test(start_paused = true)]
    async fn who_trickles_sends_few_frames_until_it_is_answered() {
        let trickle = stream::unfold(0, |count| async move {
            sleep(LATER / 100).await;
            (count < 1_000).then(|| (Ok::<_, Status>(Frame::data(Bytes::from_static(b"x"))), count + 1))
        });
        let answered = Answered::default();
        let mut body = Packed::new(Body::new(StreamBody::new(Box::pin(trickle))), answered.clone());
        let begun = Instant::now();
        for _ in 0..AT_ONCE {
            body.frame().await.unwrap().unwrap();
        }
        assert!(begun.elapsed() < LATER / 5);
        assert!(timeout(LATER / 2, body.frame()).await.is_err());
        answered.again();
        body.frame().await.unwrap().unwrap();
        assert!(begun.elapsed() < LATER);
        let rest = sizes(&mut body).await;
        assert!(rest.len() < 30 && rest.iter().sum::<usize>() > 900, "{rest:?}");
    }
}
