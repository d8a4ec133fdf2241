//! `LogService`: the log for consumers in other services.

use std::pin::Pin;

use futures::Stream;
use prost::Message as _;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_proto::log::v1::{
    Event, GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    log_service_server::LogService,
};
use tonic::{Request, Response, Status};

use super::read;
use crate::error::{Error, Refusal};

const DEFAULT_LIMIT: i64 = 10_000;

/// Events per query.
const PART: i64 = 1_000;

/// Size of a response, well below the 4 MiB that clients accept by default.
const ANSWER_BYTES: usize = 1 << 20;

/// Serves the log of a service.
#[derive(Debug, Clone)]
pub struct LogReader {
    pool: PgPool,
}

impl LogReader {
    /// Serves the log in a service's database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// The log has no refusals of its own.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "log.tongxin")]
enum Refused {}

type LogError = Error<Refused>;

#[tonic::async_trait]
impl LogService for LogReader {
    type ReadEventsStream = Pin<Box<dyn Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn get_head(&self, _: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let head = read::head(&self.pool).await.map_err(LogError::from)?;
        Ok(Response::new(GetHeadResponse {
            epoch: head.epoch,
            seq: head.seq,
            hash: head.hash,
            published_seq: head.published_seq,
        }))
    }

    async fn get_hash(&self, request: Request<GetHashRequest>) -> Result<Response<GetHashResponse>, Status> {
        let read::Place { epoch, hash } =
            read::place(&self.pool, request.into_inner().seq).await.map_err(LogError::from)?;
        Ok(Response::new(GetHashResponse { epoch, hash: hash.unwrap_or_default() }))
    }

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let ReadEventsRequest { after_seq, limit } = request.into_inner();
        let limit = if limit == 0 { DEFAULT_LIMIT } else { limit.into() };
        let (answers, stream) = mpsc::channel(2);
        let pool = self.pool.clone();
        tokio::spawn(async move {
            if let Err(error) = send_events(&pool, after_seq, limit, &answers).await {
                let _ = answers.send(Err(LogError::from(error).into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

type Answers = mpsc::Sender<Result<ReadEventsResponse, Status>>;

async fn send_events(pool: &PgPool, mut after_seq: i64, mut left: i64, answers: &Answers) -> Result<(), sqlx::Error> {
    let epoch = read::head(pool).await?.epoch;
    while left > 0 {
        let events = read::read(pool, after_seq, left.min(PART)).await?;
        let Some(last) = events.last() else { break };
        after_seq = last.seq;
        left -= i64::try_from(events.len()).unwrap_or(i64::MAX);
        for events in by_size(events) {
            // The reader has gone.
            if answers.send(Ok(ReadEventsResponse { epoch, events })).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn by_size(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut parts = vec![Vec::new()];
    let mut size = 0;
    for event in events {
        size += event.encoded_len();
        if size > ANSWER_BYTES && parts.last().is_some_and(|part| !part.is_empty()) {
            size = event.encoded_len();
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(event);
        }
    }
    parts
}
