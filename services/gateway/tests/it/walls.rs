//! What callers cannot do to the gateway, its services and each other.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tongxin_platform::testing::eventually;
use tongxin_proto::pairing::v1::{
    ImportRegionsRequest, ListRegionsRequest, pairing_service_client::PairingServiceClient,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{
    CITY, COUNTY, FakePairing, LONG_REGION, PROVINCE, Stage, TOWN, VILLAGE, VILLAGE_ELSEWHERE, events::activity, world,
};

const SCORECARD: &str = "tongxin.gateway.v1.GatewayService/GetScorecard";

/// More calls than a connection carries, none of which is ever answered.
#[tokio::test]
async fn events_are_counted_while_callers_hold_all_that_they_can() {
    let (world, nats) = world().await;
    let pairing = FakePairing::with(&world, |grpc| grpc.max_streams = 8).await;
    let stage = Stage::with(world, nats, pairing, |config| config.upstream_connections = 1).await;
    let mut calls = JoinSet::new();
    for region in [PROVINCE, CITY, COUNTY, TOWN, VILLAGE, VILLAGE_ELSEWHERE] {
        for _ in 0..8 {
            let message = ListRegionsRequest { parent_code: CITY.to_owned(), ..ListRegionsRequest::default() };
            let request = stage.request("hq", region, message);
            let mut client = PairingServiceClient::new(stage.channel());
            calls.spawn(async move { client.list_regions(request).await });
        }
    }
    eventually("callers hold the connection", || async { !stage.pairing.seen.lock().unwrap().is_empty() }).await;
    for day in ["2025-01-01", "2025-02-01"] {
        stage.pairing.state(&activity(CITY, day)).await;
        stage.settle().await;
    }
    let ready = reqwest::get(format!("http://{}/readyz", stage.admin)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    calls.abort_all();
    while calls.join_next().await.is_some() {}
    stage.stop().await;
}

/// The gateway itself would wait for half a minute, and for ever as long as the service is at work.
#[tokio::test]
async fn a_stream_that_says_nothing_is_ended_by_the_service_that_waits_for_it() {
    let (world, nats) = world().await;
    let pairing = FakePairing::with(&world, |grpc| grpc.stall_seconds = 1).await;
    let stage = Stage::with(world, nats, pairing, |_| {}).await;
    let silent = stage.request("operator", PROVINCE, tokio_stream::pending::<ImportRegionsRequest>());
    let mut client = PairingServiceClient::new(stage.channel());
    let ended = timeout(Duration::from_secs(20), async {
        match client.import_regions(silent).await {
            Ok(answers) => answers.into_inner().message().await.unwrap_err(),
            Err(status) => status,
        }
    });
    let ended = ended.await.expect("it ends");
    let reason = ended.get_details_error_info().unwrap_or_else(|| panic!("{ended:?}")).reason;
    assert_eq!((ended.code(), reason.as_str()), (Code::DeadlineExceeded, "STALLED"));
    stage.stop().await;
}

#[tokio::test]
async fn half_a_body_in_json_is_not_waited_for() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.stall_seconds = 1).await;
    let token = stage.world.token("hq", PROVINCE);
    let mut connection = TcpStream::connect(stage.grpc).await.unwrap();
    let head = format!(
        "POST /{SCORECARD} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(20), connection.read_to_end(&mut answer)).await;
    read.expect("an answer").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("STALLED"), "{answer}");
    stage.stop().await;
}

/// Half an envelope, and bytes of one that never is whole: the service that waits for the message says when it is enough.
#[tokio::test]
async fn streams_in_connect_that_do_not_go_on_are_ended() {
    let (world, nats) = world().await;
    let pairing = FakePairing::with(&world, |grpc| grpc.stall_seconds = 1).await;
    let stage = Stage::with(world, nats, pairing, |_| {}).await;
    let token = stage.world.token("hq", PROVINCE);
    let head = format!(
        "POST /tongxin.pairing.v1.PairingService/BatchRegisterOrganisations HTTP/1.1\r\nhost: x\r\n\
         content-type: application/connect+proto\r\nauthorization: Bearer {token}\r\ncontent-length: 9000\r\n\r\n"
    );
    for trickles in [false, true] {
        let (mut read, mut write) = TcpStream::connect(stage.grpc).await.unwrap().into_split();
        write.write_all(&[head.as_bytes(), &[0, 0, 0, 0x20, 0]].concat()).await.unwrap();
        let sender = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            while trickles && write.write_all(&[0]).await.is_ok() {
                tick.tick().await;
            }
            // Held open until it is given up.
            std::future::pending::<()>().await;
        });
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(20), read.read_to_end(&mut answer)).await;
        // A sender who goes on is cut off.
        let _ = ended.expect("an end");
        sender.abort();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("STALLED"), "{answer}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn bodies_in_json_are_counted() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.max_body_bytes = 1 << 20).await;
    let token = stage.world.token("hq", PROVINCE);
    let send = |bytes: usize| {
        let body = format!(r#"{{"regionCode":"{}"}}"#, "4".repeat(bytes));
        let url = format!("http://{}/{SCORECARD}", stage.grpc);
        let request = Client::new().post(url).header("content-type", "application/json");
        request.header("authorization", format!("Bearer {token}")).body(body).send()
    };
    let refused = send(400 << 10).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let refused: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(refused["details"][0]["debug"]["reason"], "SHARE_EXHAUSTED", "{refused}");
    for _ in 0..4 {
        // It is given back, so each is read; what it says is wrong.
        assert_eq!(send(200 << 10).await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    stage.stop().await;
}

/// One after the other they take longer than the service waits for a body.
#[tokio::test]
async fn who_sent_everything_is_not_told_that_nothing_came() {
    let (world, nats) = world().await;
    let pairing = FakePairing::with(&world, |grpc| grpc.stall_seconds = 1).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.stall_seconds = 1).await;
    let token = stage.world.token("hq", PROVINCE);
    let body = format!(r#"{{"rows":{{"rows":[{}]}}}}"#, vec!["{}"; 400_000].join(","));
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let url = format!("http://{}/tongxin.pairing.v1.PairingService/BatchRegisterOrganisations", stage.grpc);
        let request = Client::new().post(url).header("content-type", "application/json");
        calls.spawn(request.header("authorization", format!("Bearer {token}")).body(body.clone()).send());
    }
    while let Some(answer) = calls.join_next().await {
        let answer: Value = serde_json::from_str(&answer.unwrap().unwrap().text().await.unwrap()).unwrap();
        assert_eq!(answer["details"][0]["debug"]["reason"], "INVALID_FIELDS", "{answer}");
    }
    stage.stop().await;
}

/// What a few bytes ask for may be much, in JSON more than in protobuf.
#[tokio::test]
async fn answers_in_json_are_counted_as_their_callers() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.max_body_bytes = 8_000).await;
    let token = stage.world.token("hq", PROVINCE);
    for (code, status) in [(COUNTY, 200), (LONG_REGION, 503), (COUNTY, 200)] {
        let url = format!("http://{}/tongxin.pairing.v1.PairingService/GetRegion", stage.grpc);
        let request = Client::new().post(url).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        let answer = request.body(format!(r#"{{"code":"{code}"}}"#)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        let answer = answer.text().await.unwrap();
        assert_eq!(answer.contains("SHARE_EXHAUSTED"), status == 503, "{answer}");
    }
    stage.stop().await;
}
