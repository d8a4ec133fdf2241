//! Sends a response in pieces, as long as the caller accepts them.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::{sync::mpsc, time::timeout};
use tongxin_platform::grpc::{Unpacked, late};
use tonic::{Status, body::Body};
use tracing::Instrument as _;

type Passed = Result<Frame<Bytes>, Status>;

/// Size of a piece; a caller that reads nothing costs no more memory than one.
const PIECE: usize = 16 << 10;

/// Sends the pieces of a response.
pub(super) struct Outward {
    pieces: mpsc::Sender<Passed>,
    stall: Duration,
}

/// The caller accepts nothing more of the response.
#[derive(Debug)]
pub(super) struct NotTaken;

impl Outward {
    pub(super) async fn send(&self, mut bytes: Bytes) -> Result<(), NotTaken> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(PIECE.min(bytes.len()));
            let sent = timeout(self.stall, self.pieces.send(Ok(Frame::data(piece)))).await;
            sent.map_err(|_| NotTaken)?.map_err(|_| NotTaken)?;
        }
        Ok(())
    }
}

/// A complete body.
pub(super) fn whole(stall: Duration, bytes: Bytes) -> Body {
    let size = u64::try_from(bytes.len()).map_or_else(|_| SizeHint::new(), SizeHint::with_exact);
    of_size(size, stall, |out| async move { out.send(bytes).await })
}

/// A body that is charged to a caller until it is sent.
pub(super) fn counted(body: Body, unpacked: Option<Unpacked>) -> Body {
    Body::new(Counted { body, _unpacked: unpacked })
}

struct Counted {
    body: Body,
    _unpacked: Option<Unpacked>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Passed>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is produced by `work` in a separate task, so that a caller who does not read holds its resources no
/// longer than `stall`. Then the body ends with an error, so that the caller does not take it for complete.
pub(super) fn body<Work, Done>(stall: Duration, work: Work) -> Body
where
    Work: FnOnce(Outward) -> Done,
    Done: Future<Output = Result<(), NotTaken>> + Send + 'static,
{
    of_size(SizeHint::new(), stall, work)
}

fn of_size<Work, Done>(size: SizeHint, stall: Duration, work: Work) -> Body
where
    Work: FnOnce(Outward) -> Done,
    Done: Future<Output = Result<(), NotTaken>> + Send + 'static,
{
    // Room for one piece, and for the final error.
    let (pieces, passed) = mpsc::channel::<Passed>(2);
    let (last_word, gone) = (pieces.clone().try_reserve_owned().ok(), pieces.clone());
    let work = work(Outward { pieces, stall });
    let work = async move {
        let sent = tokio::select! {
            sent = work => sent,
            () = gone.closed() => Ok(()),
        };
        if let (Err(NotTaken), Some(last_word)) = (sent, last_word) {
            last_word.send(Err(late("nothing of the answer was taken for too long")));
        }
    };
    tokio::spawn(work.in_current_span());
    Body::new(Pieces { passed, size })
}

/// The pieces as they are produced; the size, if it is known, becomes HTTP/1's `content-length`.
struct Pieces {
    passed: mpsc::Receiver<Passed>,
    size: SizeHint,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Passed>> {
        self.passed.poll_recv(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::time::sleep;

    use super::*;

    const STALL: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_takes_piece_by_piece_gets_all_of_it() {
        let sent: Bytes = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        let mut body = whole(STALL, sent.clone());
        let mut taken = Vec::new();
        while let Some(frame) = body.frame().await {
            sleep(STALL / 2).await;
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE);
            taken.extend(piece);
        }
        assert_eq!(taken, sent);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_cut_off_and_let_go() {
        let (held, let_go) = tokio::sync::oneshot::channel::<()>();
        let mut body = body(STALL, |out| async move {
            let _held = held;
            out.send(Bytes::from(vec![0; PIECE * 9])).await
        });
        body.frame().await.unwrap().unwrap();
        assert!(timeout(STALL * 3, let_go).await.expect("it is let go").is_err());
        let mut taken = 1;
        let end = loop {
            match body.frame().await {
                Some(Ok(_)) => taken += 1,
                end => break end,
            }
        };
        assert!(taken < 4 && end.is_some_and(|end| end.is_err()), "{taken} pieces");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_whose_caller_is_gone_is_not_made_any_more() {
        let (held, let_go) = tokio::sync::oneshot::channel::<()>();
        let body = body(STALL, |_| async move {
            let _held = held;
            std::future::pending().await
        });
        drop(body);
        assert!(timeout(STALL, let_go).await.expect("it is let go").is_err());
    }
}
