//! A service named pairing: a source of events, and methods that say what they saw.

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
    batch::v1::Outcome,
    pairing::v1::{
        BatchRegisterOrganisationsRequest, BatchRegisterOrganisationsResponse, GetRegionRequest, GetRegionResponse,
        ImportRegionsRequest, ImportRegionsResponse, batch_register_organisations_request::Part,
        pairing_service_server::SERVICE_NAME,
    },
    register::v1::Region,
};
use tonic::{Code, Request, Response, Status, Streaming, metadata::MetadataMap, server::Grpc, service::Routes};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::service_fn;

use super::FakeSource;

/// Asking for it is answered with an error.
pub const UNKNOWN_REGION: &str = "990000000000";

/// A row with this name is answered with an error that names a field.
pub const UNKNOWN_NAME: &str = "nobody";

/// A region with a name of a thousand characters.
pub const LONG_REGION: &str = "980000000000";

const LONGEST_REPEATED: usize = 10_000;

pub struct FakePairing {
    source: FakeSource,
    /// Metadata of the newest call.
    pub seen: Arc<Mutex<MetadataMap>>,
    /// How the messages of each batch ended: after so many rows, or broken off.
    pub ended: Ended,
}

type Ended = Arc<Mutex<Vec<Result<i64, Code>>>>;

impl FakePairing {
    pub async fn start(world: &TestWorld) -> Self {
        Self::with(world, |_| {}).await
    }

    /// With the settings that a test wants otherwise.
    pub async fn with(world: &TestWorld, set: impl FnOnce(&mut GrpcConfig)) -> Self {
        let (seen, ended) = (Arc::default(), Arc::default());
        let source = FakeSource::start(world, ("pairing", SERVICE_NAME), routes(&seen, &ended), set).await;
        Self { source, seen, ended }
    }
}

impl Deref for FakePairing {
    type Target = FakeSource;

    fn deref(&self) -> &FakeSource {
        &self.source
    }
}

fn routes(seen: &Arc<Mutex<MetadataMap>>, ended: &Ended) -> Routes {
    let (seen, ended) = (Arc::clone(seen), Arc::clone(ended));
    let answer = service_fn(move |request: HttpRequest| {
        *seen.lock().unwrap() = MetadataMap::from_headers(request.headers().clone());
        let ended = Arc::clone(&ended);
        async move {
            let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
            Ok::<_, Infallible>(match method.as_str() {
                "GetRegion" => Grpc::new(CheckedCodec::default()).unary(service_fn(get_region), request).await,
                "BatchRegisterOrganisations" => {
                    let batch = service_fn(move |request| batch(request, Arc::clone(&ended)));
                    Grpc::new(CheckedCodec::default()).client_streaming(batch, request).await
                }
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
    let name = if code == LONG_REGION { "县".repeat(1_000) } else { "阳山县".to_owned() };
    let region = Region { code, name, ..Region::default() };
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

/// Answers how many rows came, and the name of each but for very long ones.
async fn batch(
    request: Request<Streaming<BatchRegisterOrganisationsRequest>>,
    ended: Ended,
) -> Result<Response<BatchRegisterOrganisationsResponse>, Status> {
    let (mut messages, mut outcome) = (request.into_inner(), Outcome::default());
    loop {
        let message = match messages.message().await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(status) => {
                ended.lock().unwrap().push(Err(status.code()));
                return Err(status);
            }
        };
        let Some(Part::Rows(rows)) = message.part else { continue };
        for (row, organisation) in (0..).zip(rows.rows) {
            if organisation.name == UNKNOWN_NAME {
                let mut details = ErrorDetails::new();
                details.set_error_info("HOST_KIND_REQUIRED", "pairing.tongxin", []);
                details.add_bad_request_violation(format!("rows[{row}].name"), "is unknown");
                return Err(Status::with_error_details(Code::InvalidArgument, "a name is unknown", details));
            }
            outcome.accepted += 1;
            if organisation.name.len() <= LONGEST_REPEATED {
                outcome.ids.push(organisation.name);
            }
        }
    }
    ended.lock().unwrap().push(Ok(outcome.accepted));
    Ok(Response::new(outcome.into()))
}
