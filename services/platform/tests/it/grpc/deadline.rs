//! A caller that no longer waits costs Postgres nothing.

use std::time::Duration;

use sqlx::PgPool;

use super::*;
use crate::support::database;
use tongxin_platform::{
    access::{Access, AccessConfig, IssuerConfig, KeySource, LocalKey, TokenRequest},
    clock::Clock,
    db::{self, DbConfig, Scope},
    testing::eventually,
};

/// A log whose head takes five minutes to read.
struct DeepLog(PgPool);

#[tonic::async_trait]
impl LogService for DeepLog {
    type ReadEventsStream = stream::Empty<Result<ReadEventsResponse, Status>>;

    async fn get_head(&self, _: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let mut tx = Scope::EVERYWHERE.read(&self.0).await.unwrap();
        sqlx::query("SELECT pg_sleep(300)").execute(&mut *tx).await.unwrap();
        Ok(Response::new(GetHeadResponse::default()))
    }

    async fn get_hash(&self, _: Request<GetHashRequest>) -> Result<Response<GetHashResponse>, Status> {
        Ok(Response::new(GetHashResponse::default()))
    }

    async fn read_events(&self, _: Request<ReadEventsRequest>) -> Result<Response<Self::ReadEventsStream>, Status> {
        Ok(Response::new(stream::empty()))
    }
}

#[tokio::test]
async fn what_is_read_for_a_caller_who_no_longer_waits_ends_in_postgres() {
    let world = TestWorld::at(noon()).await;
    let database = database().await;
    // Neither the statement's own limit nor the server's ends it.
    let patient = DbConfig { statement_seconds: 600, ..DbConfig::at(&database.app_url) };
    let routes = Routes::new(LogServiceServer::new(DeepLog(db::connect(&patient).await.unwrap())));
    let config = GrpcConfig { timeout_seconds: 600, ..GrpcConfig::default() };
    let access = Arc::clone(&world.shared.access);
    let server = Server::bind(config, access, (&tongxin_proto::PRODUCT, &[SERVICE_NAME]), routes).await.unwrap();
    let channel = channel(&format!("http://{}", server.address().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(server.run(stop));

    let mut request = Request::new(GetHeadRequest {});
    let bearer = format!("Bearer {}", world.token("operator", "441823000000"));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    request.set_timeout(Duration::from_secs(2));
    let call = tokio::spawn(async move { LogServiceClient::new(channel).get_head(request).await });

    let pool = db::open(&DbConfig::at(&database.owner_url)).await.unwrap();
    let reading = || async {
        let question = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(300)' AND pid <> pg_backend_pid()";
        sqlx::query_scalar::<_, i64>(question).fetch_one(&pool).await.unwrap() > 0
    };
    eventually("Postgres reads", &reading).await;
    let gave_up = call.await.unwrap().unwrap_err();
    assert!(matches!(gave_up.code(), Code::DeadlineExceeded | Code::Cancelled), "{gave_up:?}");
    eventually("Postgres has ended the statement", || async { !reading().await }).await;
}

#[tokio::test]
async fn who_gives_no_time_is_told_so_and_always_in_the_same_way() {
    let served = Served::start(GrpcConfig { accept_http1: true, ..GrpcConfig::default() }).await;
    // Not tonic's client, which enforces the timeout itself.
    let client = reqwest::Client::new();
    for time in ["0n", "1u", "1m", "3m"].repeat(10) {
        let request = client
            .post(format!("http://{}/{SERVICE_NAME}/GetHead", served.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", served.bearer("operator"))
            .header("grpc-timeout", time)
            .body([0; 5].as_slice());
        let answer = request.send().await.unwrap();
        let late = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(refusal(&late), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()), "{time}");
    }
}

/// The address of its keys accepts connections but never answers.
#[tokio::test]
async fn who_calls_is_found_out_within_the_time_of_the_call() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = LocalKey::in_folder(folder.path()).unwrap();
    let keys = KeySource::JwksUrl(format!("http://{}/keys", silent.local_addr().unwrap()).into());
    let issuers = vec![IssuerConfig { keys, ..key.issuer() }];
    let access = Access::new(AccessConfig { issuers, ..AccessConfig::default() }, Clock::system()).unwrap();
    let config = GrpcConfig { timeout_seconds: 1, ..GrpcConfig::default() };
    let server =
        Server::bind(config, Arc::new(access), (&tongxin_proto::PRODUCT, &[]), Routes::default()).await.unwrap();
    let channel = channel(&format!("http://{}", server.address().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(server.run(stop));

    let request = TokenRequest {
        subject: "zhang".to_owned(),
        roles: vec!["operator".to_owned()],
        region: tongxin_platform::region::RegionCode::COUNTRY,
        department: None,
        lifetime: Duration::from_hours(1),
    };
    let bearer = format!("Bearer {}", key.sign(&request, &Clock::system()).unwrap());
    let mut request = Request::new(GetHeadRequest {});
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let begun = std::time::Instant::now();
    let late = LogServiceClient::new(channel).get_head(request).await.unwrap_err();
    assert_eq!(refusal(&late), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
