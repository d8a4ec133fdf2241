//! A service named pairing: a source of events, and three methods that say what they saw.

use std::{
    convert::Infallible,
    ops::Deref,
    sync::{Arc, Mutex},
};

use axum::extract::Request as HttpRequest;
use tokio_stream::StreamExt as _;
use tongxin_platform::{grpc::GrpcConfig, testing::TestWorld};
use tongxin_proto::{
    CheckedCodec,
    pairing::v1::{
        GetRegionRequest, GetRegionResponse, ImportRegionsRequest, ImportRegionsResponse, Region,
        pairing_service_server::SERVICE_NAME,
    },
};
use tonic::{Code, Request, Response, Status, Streaming, metadata::MetadataMap, server::Grpc, service::Routes};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::service_fn;

use super::FakeSource;

/// Asking for it is answered with an error.
pub const UNKNOWN_REGION: &str = "990000000000";

pub struct FakePairing {
    source: FakeSource,
    /// Metadata of the newest call.
    pub seen: Arc<Mutex<MetadataMap>>,
}

impl FakePairing {
    pub async fn start(world: &TestWorld) -> Self {
        Self::with(world, |_| {}).await
    }

    /// With the settings that a test wants otherwise.
    pub async fn with(world: &TestWorld, set: impl FnOnce(&mut GrpcConfig)) -> Self {
        let seen: Arc<Mutex<MetadataMap>> = Arc::default();
        let source = FakeSource::start(world, ("pairing", SERVICE_NAME), routes(&seen), set).await;
        Self { source, seen }
    }
}

impl Deref for FakePairing {
    type Target = FakeSource;

    fn deref(&self) -> &FakeSource {
        &self.source
    }
}

fn routes(seen: &Arc<Mutex<MetadataMap>>) -> Routes {
    let seen = Arc::clone(seen);
    let answer = service_fn(move |request: HttpRequest| {
        *seen.lock().unwrap() = MetadataMap::from_headers(request.headers().clone());
        async move {
            let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
            Ok::<_, Infallible>(match method.as_str() {
                "GetRegion" => Grpc::new(CheckedCodec::default()).unary(service_fn(get_region), request).await,
                "ImportRegions" => Grpc::new(CheckedCodec::default()).streaming(service_fn(import), request).await,
                _ => std::future::pending().await,
            })
        }
    });
    let path = format!("/{SERVICE_NAME}/{{method}}");
    Routes::default().into_axum_router().route_service(&path, answer).into()
}

async fn get_region(request: Request<GetRegionRequest>) -> Result<Response<GetRegionResponse>, Status> {
    let code = request.into_inner().code;
    if code == UNKNOWN_REGION {
        let mut details = ErrorDetails::new();
        details.set_error_info("REGION_NOT_FOUND", "pairing.tongxin", []);
        return Err(Status::with_error_details(Code::NotFound, "no such region", details));
    }
    let region = Region { code, name: "阳山县".to_owned(), ..Region::default() };
    Ok(Response::new(GetRegionResponse { region: Some(region) }))
}

type Answers = std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<ImportRegionsResponse, Status>> + Send>>;

/// Answers each message when it comes, and ends with an error, which is in the trailers.
async fn import(request: Request<Streaming<ImportRegionsRequest>>) -> Result<Response<Answers>, Status> {
    let mut received = 0;
    let answers = request.into_inner().map(move |message| {
        message?;
        received += 1;
        Ok(ImportRegionsResponse { received, ..Default::default() })
    });
    let end = tokio_stream::once(Err(Status::data_loss("the end")));
    Ok(Response::new(Box::pin(answers.chain(end))))
}
