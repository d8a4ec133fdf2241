//! A pool of connections to one service.

use std::{
    collections::HashSet,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tongxin_platform::grpc::{ConnectError, TlsConfig, secure_channel, secure_stream_channel};
use tongxin_proto::POOL;
use tonic::{Status, body::Body, transport::Channel};

use super::packed::Answered;

/// Number of connections for streams.
const OF_STREAMS: usize = 2;

/// Methods that stream in either direction.
static STREAMING: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let streaming = methods.filter(|method| method.is_client_streaming() || method.is_server_streaming());
    streaming.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name())).collect()
});

/// Connections to a service. Streams have separate ones, so that a slow reader does not block unary calls.
#[derive(Clone)]
pub(super) struct Lanes {
    unary: Arc<[Connection]>,
    streams: Arc<[Connection]>,
}

struct Connection {
    channel: Channel,
    calls: Arc<AtomicUsize>,
}

impl Lanes {
    pub(super) fn connect(address: &str, tls: &TlsConfig, unary: usize) -> Result<Self, ConnectError> {
        let open = |channel| Connection { channel, calls: Arc::default() };
        let unary = (0..unary.max(1)).map(|_| secure_channel(address, tls).map(open));
        let streams = (0..OF_STREAMS).map(|_| secure_stream_channel(address, tls).map(open));
        Ok(Self { unary: unary.collect::<Result<_, _>>()?, streams: streams.collect::<Result<_, _>>()? })
    }

    /// The connection with the fewest calls for the method's kind.
    pub(super) fn of(&self, path: &str) -> Lane {
        let lanes = if STREAMING.contains(path) { &self.streams } else { &self.unary };
        let mut best = &lanes[0];
        for lane in lanes.iter() {
            if lane.calls.load(Relaxed) < best.calls.load(Relaxed) {
                best = lane;
            }
        }
        best.calls.fetch_add(1, Relaxed);
        Lane { channel: best.channel.clone(), calls: Arc::clone(&best.calls) }
    }
}

/// The connection of a call.
pub(super) struct Lane {
    pub(super) channel: Channel,
    calls: Arc<AtomicUsize>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Relaxed);
    }
}

impl Lane {
    /// Keeps the connection counted as used until the end of the response body.
    pub(super) fn carry(self, body: Body, answered: Answered) -> Body {
        answered.again();
        if body.is_end_stream() {
            return body;
        }
        Body::new(Carried { body, answered, _lane: self })
    }
}

struct Carried {
    body: Body,
    answered: Answered,
    _lane: Lane,
}

impl HttpBody for Carried {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.answered.again();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
