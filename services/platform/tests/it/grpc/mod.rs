//! The door, with a log as its service.

mod deadline;
mod door;
mod late;
mod limits;
mod raw;
mod tls;
mod walls;

use std::{net::SocketAddr, sync::Arc};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_proto::log::v1::{
    Event, GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    log_service_client::LogServiceClient,
    log_service_server::{LogService, LogServiceServer, SERVICE_NAME},
};
use tonic::{Code, Request, Response, Status, Streaming, service::Routes, transport::Channel};
use tonic_types::StatusExt as _;

use crate::support::noon;
use tongxin_platform::grpc::{GrpcConfig, Server, ServerError, channel};
use tongxin_platform::{
    access::Caller,
    testing::{Lines, TestWorld},
};

/// A log whose head is returned only when a test allows it.
#[derive(Clone)]
struct SlowLog {
    /// A permit for each request that has reached the service.
    arrived: Arc<Semaphore>,
    allowed: Arc<Notify>,
    stream_may_end: Arc<Notify>,
}

#[tonic::async_trait]
impl LogService for SlowLog {
    type ReadEventsStream = BoxStream<'static, Result<ReadEventsResponse, Status>>;

    async fn get_head(&self, request: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.arrived.add_permits(1);
        self.allowed.notified().await;
        let hash = caller.subject().as_bytes().to_vec();
        Ok(Response::new(GetHeadResponse { hash, ..GetHeadResponse::default() }))
    }

    async fn get_hash(&self, _: Request<GetHashRequest>) -> Result<Response<GetHashResponse>, Status> {
        Ok(Response::new(GetHashResponse::default()))
    }

    /// Without a limit, the same message for ever; with one, a single message and, once allowed, the end.
    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        self.arrived.add_permits(1);
        let event = Event { payload: vec![0; 64 << 10], ..Event::default() };
        let answer = Ok(ReadEventsResponse { epoch: 1, events: vec![event] });
        if request.into_inner().limit == 0 {
            return Ok(Response::new(stream::repeat(answer).boxed()));
        }
        let may_end = Arc::clone(&self.stream_may_end);
        let end = stream::once(async move { may_end.notified().await }).filter_map(|()| async { None });
        Ok(Response::new(stream::iter([answer]).chain(end).boxed()))
    }
}

/// A server with a slow log behind its door.
struct Served {
    world: TestWorld,
    log: SlowLog,
    address: SocketAddr,
    channel: Channel,
    running: JoinHandle<Result<(), ServerError>>,
    stop: CancellationToken,
    _stop: DropGuard,
}

impl Served {
    async fn start(config: GrpcConfig) -> Self {
        let world = TestWorld::at(noon()).await;
        let log = SlowLog {
            arrived: Arc::new(Semaphore::new(0)),
            allowed: Arc::new(Notify::new()),
            stream_may_end: Arc::new(Notify::new()),
        };
        let routes = Routes::new(LogServiceServer::new(log.clone()));
        let access = Arc::clone(&world.shared.access);
        let server = Server::bind(config, access, (&tongxin_proto::PRODUCT, &[SERVICE_NAME]), routes).await.unwrap();
        let address = server.address().unwrap();
        let channel = channel(&format!("http://{address}")).unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(server.run(stop.clone()));
        Self { world, log, address, channel, running, stop: stop.clone(), _stop: stop.drop_guard() }
    }

    fn client(&self) -> LogServiceClient<Channel> {
        LogServiceClient::new(self.channel.clone())
    }

    /// Requests the head with an `authorization` header.
    async fn head(&self, authorization: Option<&str>) -> Result<GetHeadResponse, Status> {
        let mut request = Request::new(GetHeadRequest {});
        if let Some(text) = authorization {
            request.metadata_mut().insert("authorization", text.parse().unwrap());
        }
        self.client().get_head(request).await.map(Response::into_inner)
    }

    /// Reads the log; with a limit of 1 its end has to be allowed.
    async fn read(&self, limit: i32) -> Result<Streaming<ReadEventsResponse>, Status> {
        let mut request = Request::new(ReadEventsRequest { after_seq: 0, limit });
        request.metadata_mut().insert("authorization", self.bearer("operator").parse().unwrap());
        self.client().read_events(request).await.map(Response::into_inner)
    }

    fn bearer(&self, role: &str) -> String {
        format!("Bearer {}", self.world.token(role, "441823000000"))
    }
}

fn refusal(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("every refusal has its reason: {status:?}"));
    (status.code(), info.reason)
}
