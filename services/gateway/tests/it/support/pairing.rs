//! A service named pairing: platform's log, relay and door, and three methods that say what they saw.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::extract::Request as HttpRequest;
use prost::Name;
use sqlx::{PgPool, migrate::Migrator};
use tokio_stream::StreamExt as _;
use tongxin_platform::{
    admin::Readiness,
    db::{Migrations, Scope},
    lifecycle::Lifecycle,
    log::{NewEvent, append},
    region::RegionCode,
    request::Context,
    service::Service,
    testing::{Database, TestWorld, eventually},
};
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
use uuid::Uuid;

use super::{CITY, date};

/// Asking for it is answered with an error.
pub const UNKNOWN_REGION: &str = "990000000000";

pub struct FakePairing {
    pub address: SocketAddr,
    pub database: Database,
    /// Metadata of the newest call.
    pub seen: Arc<Mutex<MetadataMap>>,
    pool: PgPool,
    context: Context,
    /// Runs until it is dropped.
    _lifecycle: Lifecycle,
}

impl FakePairing {
    pub async fn start(world: &TestWorld) -> Self {
        let migrations = Migrations::with_platform(&Migrator::DEFAULT);
        let database = Database::migrated(&migrations).await;
        let (config, surroundings) = (database.service_config(), world.surroundings.clone());
        let service = Service::connect("pairing", config, surroundings, &migrations).await.unwrap();
        let pool = service.pool.clone();
        let seen: Arc<Mutex<MetadataMap>> = Arc::default();
        let listening = service.listen(&[SERVICE_NAME], routes(&seen), Readiness::default()).await.unwrap();
        let address = listening.grpc_address().unwrap();
        let mut lifecycle = Lifecycle::default();
        listening.start(&mut lifecycle);
        let context = Context {
            now: world.clock.now(),
            actor: "test".to_owned(),
            regions: tongxin_platform::region::RegionRange::EVERYWHERE,
            may_load_history: true,
        };
        Self { address, database, seen, pool, context, _lifecycle: lifecycle }
    }

    /// States one event, of an aggregate of its own.
    pub async fn state(&self, event: &impl Name) {
        self.state_all(std::slice::from_ref(event)).await;
    }

    pub async fn state_all<Event: Name>(&self, events: &[Event]) {
        let region = RegionCode::parse(CITY).unwrap();
        let events: Vec<_> = events
            .iter()
            .map(|event| NewEvent::new(("thing", Uuid::new_v4()), region, date("2025-12-31"), event))
            .collect();
        let mut tx = Scope::EVERYWHERE.write(&self.pool).await.unwrap();
        append(&mut tx, &self.context, &events).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Number of the newest event, when all have one.
    pub async fn stated(&self) -> i64 {
        eventually("all events have numbers", || async {
            let mut tx = Scope::EVERYWHERE.read(&self.pool).await.unwrap();
            let waiting = sqlx::query_scalar("SELECT EXISTS (SELECT FROM event WHERE seq IS NULL)");
            let waiting: bool = waiting.fetch_one(&mut *tx).await.unwrap();
            !waiting
        })
        .await;
        sqlx::query_scalar("SELECT seq FROM log_head").fetch_one(&self.pool).await.unwrap()
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
        Ok(ImportRegionsResponse { received, result: None })
    });
    let end = tokio_stream::once(Err(Status::data_loss("the end")));
    Ok(Response::new(Box::pin(answers.chain(end))))
}
