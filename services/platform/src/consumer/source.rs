//! The source's log, read by gRPC.

use tonic::{Status, Streaming, service::interceptor::InterceptedService, transport::Channel};

use tongxin_proto::log::v1::{
    GetHashRequest, GetHeadRequest, ReadEventsRequest, ReadEventsResponse, log_service_client::LogServiceClient,
};

use super::Envelope;
use crate::access::Credentials;

/// Maximum number of events in one request.
const LIMIT: i32 = 20_000;

/// A single answer may contain one large event.
const ANSWER_BYTES: usize = 16 << 20;

/// The head of the source's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub epoch: i64,
    pub seq: i64,
}

/// What the source's log has under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub epoch: i64,
    /// Chain hash of the event; empty if the log has none of that number.
    pub hash: Vec<u8>,
}

/// Reads the log of another service.
#[derive(Clone)]
pub struct LogClient(LogServiceClient<InterceptedService<Channel, Credentials>>);

impl LogClient {
    /// Reads over a channel to the service, with the reader's own token.
    #[must_use]
    pub fn new(channel: Channel, credentials: Credentials) -> Self {
        let client = LogServiceClient::with_interceptor(channel, credentials);
        Self(client.max_decoding_message_size(ANSWER_BYTES))
    }

    pub(super) async fn head(&mut self) -> Result<Head, Status> {
        let head = self.0.get_head(GetHeadRequest {}).await?.into_inner();
        Ok(Head { epoch: head.epoch, seq: head.seq })
    }

    pub(super) async fn hash(&mut self, seq: i64) -> Result<Stated, Status> {
        let stated = self.0.get_hash(GetHashRequest { seq }).await?.into_inner();
        Ok(Stated { epoch: stated.epoch, hash: stated.hash })
    }

    pub(super) async fn read(&mut self, source: &'static str, after_seq: i64) -> Result<Parts, Status> {
        let stream = self.0.read_events(ReadEventsRequest { after_seq, limit: LIMIT }).await?.into_inner();
        Ok(Parts { source, stream })
    }
}

/// Events in the order of the log, some at a time.
pub(super) struct Parts {
    source: &'static str,
    stream: Streaming<ReadEventsResponse>,
}

/// Consecutive events, and the chain hash that the log states for the last one.
pub(super) struct Part {
    pub events: Vec<Envelope>,
    pub hash: Vec<u8>,
}

impl Parts {
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Status> {
        let Some(ReadEventsResponse { epoch, mut events }) = self.stream.message().await? else { return Ok(None) };
        let hash = events.last_mut().map(|event| std::mem::take(&mut event.hash)).unwrap_or_default();
        let read = |event| {
            Envelope::from_log(self.source, epoch, event).ok_or_else(|| Status::data_loss("an event is not whole"))
        };
        let events = events.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Some(Part { events, hash }))
    }
}
