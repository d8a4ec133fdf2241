//! The source's log, read by gRPC.

use tonic::{Status, Streaming, service::interceptor::InterceptedService, transport::Channel};
use uuid::Uuid;

use tongxin_proto::log::v1::{
    GetHeadRequest, ReadEventsRequest, ReadEventsResponse, log_service_client::LogServiceClient,
};

use super::Envelope;
use crate::access::Credentials;

/// Events that one request asks for.
const LIMIT: i32 = 20_000;

/// A single answer may hold one large event.
const ANSWER_BYTES: usize = 16 << 20;

/// How far the source's log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub epoch: i64,
    pub seq: i64,
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

    /// The identifier of the event of a number, if the log has one.
    pub(super) async fn event_id(&mut self, seq: i64) -> Result<Option<Uuid>, Status> {
        let request = ReadEventsRequest { after_seq: seq - 1, limit: 1 };
        let mut answers = self.0.read_events(request).await?.into_inner();
        let event = answers.message().await?.and_then(|answer| answer.events.into_iter().next());
        Ok(event.and_then(|event| Uuid::try_parse(&event.event_id).ok()))
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

impl Parts {
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Envelope>>, Status> {
        let Some(ReadEventsResponse { epoch, events }) = self.stream.message().await? else { return Ok(None) };
        let read = |event| {
            Envelope::from_log(self.source, epoch, event).ok_or_else(|| Status::data_loss("an event has no date"))
        };
        events.into_iter().map(read).collect::<Result<_, _>>().map(Some)
    }
}
