//! What the door lets in, and what it says to the rest.

mod door;
mod limits;

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_proto::log::v1::{
    GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    log_service_client::LogServiceClient,
    log_service_server::{LogService, LogServiceServer, SERVICE_NAME},
};
use tonic::{Code, Request, Response, Status, service::Routes, transport::Channel};
use tonic_types::StatusExt as _;

use super::{GrpcConfig, Server, ServerError, channel};
use crate::{access::Caller, sample::noon, testing::TestWorld};

/// A log whose head is told only when a test allows it.
#[derive(Clone)]
struct SlowLog {
    /// A permit for each request that has come to the service.
    arrived: Arc<Semaphore>,
    allowed: Arc<Notify>,
}

#[tonic::async_trait]
impl LogService for SlowLog {
    type ReadEventsStream = futures::stream::Empty<Result<ReadEventsResponse, Status>>;

    async fn get_head(&self, request: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.arrived.add_permits(1);
        self.allowed.notified().await;
        let hash = caller.subject().as_bytes().to_vec();
        Ok(Response::new(GetHeadResponse { hash, ..GetHeadResponse::default() }))
    }

    async fn read_events(&self, _: Request<ReadEventsRequest>) -> Result<Response<Self::ReadEventsStream>, Status> {
        Ok(Response::new(futures::stream::empty()))
    }
}

/// A server with a slow log behind its door.
struct Served {
    world: TestWorld,
    log: SlowLog,
    channel: Channel,
    stop: CancellationToken,
    _stop: DropGuard,
}

impl Served {
    async fn start(config: GrpcConfig) -> Self {
        let world = TestWorld::at(noon()).await;
        let log = SlowLog { arrived: Arc::new(Semaphore::new(0)), allowed: Arc::new(Notify::new()) };
        let routes = Routes::new(LogServiceServer::new(log.clone()));
        let access = Arc::clone(&world.surroundings.access);
        let server = Server::bind(config, access, &[SERVICE_NAME], routes).await.unwrap();
        let channel = channel(&format!("http://{}", server.address().unwrap())).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(server.run(stop.clone()));
        Self { world, log, channel, stop: stop.clone(), _stop: stop.drop_guard() }
    }

    fn client(&self) -> LogServiceClient<Channel> {
        LogServiceClient::new(self.channel.clone())
    }

    /// The head, asked for with the text of an `authorization` header.
    async fn head(&self, authorization: Option<&str>) -> Result<GetHeadResponse, Status> {
        let mut request = Request::new(GetHeadRequest {});
        if let Some(text) = authorization {
            request.metadata_mut().insert("authorization", text.parse().unwrap());
        }
        self.client().get_head(request).await.map(Response::into_inner)
    }

    fn bearer(&self, role: &str) -> String {
        format!("Bearer {}", self.world.token(role, "441823000000"))
    }
}

fn refusal(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info().expect("every refusal has its reason");
    (status.code(), info.reason)
}
