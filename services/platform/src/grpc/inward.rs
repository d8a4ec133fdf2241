//! The body of a request: its bytes are counted, and it has to keep coming.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Status, body::Body};

use super::arrival::Arrival;

/// A poll that is later than this after the time limit means that we did not read meanwhile.
const PROMPT: Duration = Duration::from_secs(1);

/// A body that ends with an error if nothing arrives while it is read.
pub(super) struct Inward {
    body: Body,
    arrival: Arrival,
    stall: Duration,
    messages: Option<Messages>,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    over: bool,
}

impl Inward {
    /// `is_framed`: its bytes are length-prefixed messages, each of which is released when the next one begins.
    pub(super) fn new(body: Body, arrival: Arrival, stall: Duration, is_framed: bool) -> Self {
        Self { body, arrival, stall, messages: is_framed.then(Messages::default), waiting: None, over: false }
    }

    fn count(&mut self, data: &Bytes) -> Result<(), Status> {
        if let Some(messages) = &mut self.messages {
            let done = messages.take(data);
            // Messages of a stream are not all held at once; a single message is never released here.
            self.arrival.release(done);
        }
        self.arrival.charge(data.len())
    }

    /// Whether the caller has stalled for too long.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        let stall = self.stall;
        loop {
            let now = Instant::now();
            let (since, timer) = self.waiting.get_or_insert_with(|| (now, Box::pin(sleep_until(now + stall))));
            if timer.as_mut().poll(context).is_pending() {
                return false;
            }
            let read_all_the_time = now < timer.deadline() + PROMPT;
            match self.arrival.pace().waiting_since(*since) {
                Some(waited_since) if read_all_the_time && now >= waited_since + stall => return true,
                Some(waited_since) if read_all_the_time => *since = waited_since,
                Some(_) | None => *since = now,
            }
            let until = *since + stall;
            timer.as_mut().reset(until);
        }
    }
}

impl HttpBody for Inward {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let fault = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = None;
                match frame.data_ref().map(|data| self.count(&data.clone())) {
                    Some(Err(fault)) => fault,
                    Some(Ok(())) | None => return Poll::Ready(Some(Ok(frame))),
                }
            }
            Poll::Ready(other) => return Poll::Ready(other),
            Poll::Pending if self.arrival.is_judged() && self.is_stalled(context) => self.arrival.stalled(),
            Poll::Pending => return Poll::Pending,
        };
        self.over = true;
        Poll::Ready(Some(Err(fault)))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Where messages end: each consists of a flag, four bytes of length, and itself.
#[derive(Debug, Default)]
struct Messages {
    head: Vec<u8>,
    missing: usize,
    /// Bytes of complete messages, and of the one being received.
    complete: usize,
    coming: usize,
}

impl Messages {
    const HEAD: usize = 5;

    /// Adds bytes and returns how many of the earlier ones are no longer held: those that were complete when these
    /// came.
    fn take(&mut self, mut data: &[u8]) -> usize {
        if data.is_empty() {
            // Clients end a body with an empty frame.
            return 0;
        }
        let done = std::mem::take(&mut self.complete);
        while !data.is_empty() {
            let wanted = if self.missing > 0 { self.missing } else { Self::HEAD - self.head.len() };
            let (part, rest) = data.split_at(wanted.min(data.len()));
            data = rest;
            self.coming += part.len();
            if self.missing > 0 {
                self.missing -= part.len();
            } else {
                self.head.extend_from_slice(part);
                let Some((_, length)) = self.head.split_first().filter(|(_, length)| length.len() == 4) else { break };
                self.missing = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                self.head.clear();
            }
            if self.missing == 0 && self.head.is_empty() {
                self.complete += std::mem::take(&mut self.coming);
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::grpc::{places::Pot, shed::Shed};

    const STALL: Duration = Duration::from_secs(30);

    /// A body of one byte, and nothing ever after.
    fn silent() -> (Arrival, Inward) {
        let one = futures::stream::iter([Ok::<_, Status>(Frame::data(Bytes::from_static(b"x")))]);
        let body = Body::new(StreamBody::new(one.chain(futures::stream::pending())));
        let arrival = Arrival::new(None, Pot::new(10), Shed::new());
        (arrival.clone(), Inward::new(body, arrival, STALL, false))
    }

    async fn ends_after(body: &mut Inward) -> Option<Duration> {
        let started = Instant::now();
        let ended = timeout(STALL * 100, body.frame()).await.ok()?;
        assert!(ended.expect("an error").is_err());
        Some(started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_sends_nothing_is_waited_for_so_long() {
        let (arrival, mut body) = silent();
        body.frame().await.unwrap().unwrap();
        // Nobody reads: nobody waits.
        sleep(STALL * 3).await;
        assert_eq!(ends_after(&mut body).await, Some(STALL));
        assert_eq!(arrival.fault().unwrap().code(), tonic::Code::DeadlineExceeded);
        assert!(body.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_our_work_does_not_keep_us_waiting() {
        let (arrival, mut body) = silent();
        body.frame().await.unwrap().unwrap();
        let working = arrival.pace().working();
        tokio::spawn(async move {
            sleep(STALL * 4 + STALL / 2).await;
            drop(working);
        });
        assert_eq!(ends_after(&mut body).await, Some(STALL * 5 + STALL / 2));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stopped_reading_for_a_while_begins_to_wait_anew() {
        let (_, mut body) = silent();
        body.frame().await.unwrap().unwrap();
        assert!(timeout(STALL / 2, body.frame()).await.is_err());
        sleep(STALL * 3).await;
        assert_eq!(ends_after(&mut body).await, Some(STALL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_behind_us_judges_a_stream_that_we_pass_on() {
        let (arrival, mut body) = silent();
        arrival.admit(crate::grpc::places::Owner { name: "anybody".to_owned(), share: 100 }, false);
        body.frame().await.unwrap().unwrap();
        assert_eq!(ends_after(&mut body).await, None);
    }

    #[test]
    fn a_message_is_held_until_the_next_one_begins() {
        let mut messages = Messages::default();
        assert_eq!(messages.take(&[0, 0, 0]), 0);
        assert_eq!(messages.take(&[0, 3, 1, 2]), 0);
        assert_eq!(messages.take(&[3]), 0);
        assert_eq!(messages.take(&[]), 0, "the end is no message");
        assert_eq!(messages.take(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), 8, "the first is complete");
        assert_eq!(messages.take(&[9]), 5, "an empty one, too");
        assert_eq!(messages.take(&[0]), 6);
    }
}
