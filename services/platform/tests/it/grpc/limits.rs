//! Too many requests, and requests that take too long.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

use super::{
    raw::{GOAWAY, HEADERS, Raw},
    *,
};
use tongxin_platform::testing::eventually;

/// A server with a number of places for log requests, all of which one subject may have.
fn places(max_log_requests: usize) -> GrpcConfig {
    GrpcConfig { max_log_requests, subject_share_percent: 100, shares: BTreeMap::new(), ..GrpcConfig::default() }
}

#[tokio::test]
async fn a_full_server_says_so_at_once_and_takes_requests_again() {
    let served = Arc::new(Served::start(places(2)).await);
    let bearer = served.bearer("operator");
    let ask = || {
        let (served, bearer) = (Arc::clone(&served), bearer.clone());
        tokio::spawn(async move { served.head(Some(&bearer)).await })
    };
    let working = [ask(), ask()];
    served.log.arrived.acquire_many(2).await.unwrap().forget();

    // None of them waits for a place: both are taken until further down.
    for _ in 0..20 {
        let refused = served.head(Some(&bearer)).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unavailable, "OVERLOADED".to_owned()));
    }
    let nobody = served.head(None).await.unwrap_err();
    assert_eq!(refusal(&nobody), (Code::Unauthenticated, "TOKEN_MISSING".to_owned()));

    served.log.allowed.notify_waiters();
    for answer in working {
        answer.await.unwrap().unwrap();
    }
    served.log.allowed.notify_one();
    served.head(Some(&bearer)).await.unwrap();
}

/// Watches the server's health while the responses are read.
async fn watch(served: &Served) -> Result<Streaming<HealthCheckResponse>, Status> {
    let watched = HealthClient::new(served.channel.clone()).watch(HealthCheckRequest::default()).await?;
    Ok(watched.into_inner())
}

#[tokio::test]
async fn those_without_a_token_have_so_many_places_and_none_of_the_others() {
    let served = Served::start(places(1)).await;
    let mut watching = Vec::new();
    let refused = loop {
        match watch(&served).await {
            Ok(answers) => watching.push(answers),
            Err(refused) => break refused,
        }
    };
    assert_eq!((refusal(&refused), watching.len()), ((Code::Unavailable, "OVERLOADED".to_owned()), 16));
    let asked = HealthClient::new(served.channel.clone()).check(HealthCheckRequest::default()).await;
    asked.expect("whoever asks once needs no place");
    has_a_free_place(&served).await;
    watching.pop();
    eventually("whoever leaves makes place", || async { watch(&served).await.is_ok() }).await;
}

#[tokio::test]
async fn how_the_server_is_can_be_asked_while_it_is_full_and_not_for_ever() {
    let (served, _answers) = full_of_a_stream(1, 1).await;
    let mut watched = watch(&served).await.unwrap();
    watched.message().await.unwrap().unwrap();
    assert_eq!(watched.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_connection_too_many_takes_the_place_of_the_one_that_is_idle_for_longest() {
    let served = Served::start(GrpcConfig { max_connections: 4, ..GrpcConfig::default() }).await;
    has_a_free_place(&served).await;
    let connect = || TcpStream::connect(served.address);
    // Half of the places are for connections that have not called.
    let (first, second, third) = (connect().await.unwrap(), connect().await.unwrap(), connect().await.unwrap());
    let closed = |patience: u64, mut one: TcpStream| async move {
        // The server's first frames come before the end.
        tokio::time::timeout(Duration::from_millis(patience), one.read_to_end(&mut Vec::new())).await.is_ok()
    };
    assert!(closed(8_000, first).await, "it was not closed");
    assert!(!closed(100, second).await && !closed(100, third).await, "others were closed");
    has_a_free_place(&served).await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_and_its_place_is_free() {
    let config = GrpcConfig { timeout_seconds: 1, ..places(1) };
    let served = Served::start(config).await;
    let bearer = served.bearer("operator");
    for _ in 0..2 {
        let given_up = served.head(Some(&bearer)).await.unwrap_err();
        assert_eq!(refusal(&given_up), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()));
    }
}

/// A server with a single place, held by a streamed response in progress.
async fn full_of_a_stream(limit: i32, stream_timeout_seconds: u64) -> (Served, Streaming<ReadEventsResponse>) {
    let config = GrpcConfig { stream_timeout_seconds, ..places(1) };
    let served = Served::start(config).await;
    let mut answers = served.read(limit).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let refused = served.head(Some(&served.bearer("operator"))).await.unwrap_err();
    assert_eq!(refusal(&refused), (Code::Unavailable, "OVERLOADED".to_owned()));
    (served, answers)
}

async fn has_a_free_place(served: &Served) {
    let bearer = served.bearer("operator");
    eventually("there is a place again", || async {
        served.log.allowed.notify_one();
        served.head(Some(&bearer)).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_streams_keeps_its_place_until_its_end() {
    let (served, mut answers) = full_of_a_stream(1, 60).await;
    served.log.stream_may_end.notify_one();
    assert_eq!(answers.message().await.unwrap(), None);
    has_a_free_place(&served).await;
}

#[tokio::test]
async fn a_caller_who_leaves_a_stream_leaves_its_place() {
    let (served, answers) = full_of_a_stream(1, 60).await;
    drop(answers);
    has_a_free_place(&served).await;
}

#[tokio::test]
async fn an_answer_that_streams_too_long_is_given_up() {
    let (served, mut answers) = full_of_a_stream(1, 1).await;
    let given_up = answers.message().await.unwrap_err();
    assert_eq!(refusal(&given_up), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()));
    has_a_free_place(&served).await;
}

/// Flow control holds the response up, so nothing polls for its deadline.
#[tokio::test]
async fn a_caller_who_does_not_read_loses_the_place() {
    let (served, answers) = full_of_a_stream(0, 1).await;
    has_a_free_place(&served).await;
    drop(answers);
}

#[tokio::test]
async fn a_stream_has_more_time_than_other_requests() {
    let config = GrpcConfig { timeout_seconds: 1, ..GrpcConfig::default() };
    let served = Served::start(config).await;
    let mut answers = served.read(1).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let given_up = served.head(Some(&served.bearer("operator"))).await.unwrap_err();
    assert_eq!(refusal(&given_up), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()));
}

#[tokio::test]
async fn a_server_that_stops_ends_after_the_requests_that_are_under_way() {
    let mut served = Served::start(GrpcConfig::default()).await;
    let bearer = served.bearer("operator");
    let mut client = served.client();
    let under_way = tokio::spawn(async move {
        let mut request = Request::new(GetHeadRequest {});
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        client.get_head(request).await
    });
    served.log.arrived.acquire().await.unwrap().forget();
    served.stop.cancel();
    let early = tokio::time::timeout(Duration::from_millis(200), &mut served.running).await;
    assert!(early.is_err(), "the server ended while a request was under way");

    served.log.allowed.notify_one();
    under_way.await.unwrap().unwrap();
    served.running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_has_to_end_lets_its_calls_end_first() {
    let served = Served::start(GrpcConfig { max_connection_seconds: 1, ..GrpcConfig::default() }).await;
    let mut raw = Raw::connect(served.address, 1 << 10).await;
    raw.ask(1, &served.bearer("operator"), true).await.unwrap();
    served.log.arrived.acquire().await.unwrap().forget();
    let asked = tokio::time::timeout(Duration::from_secs(20), raw.next(GOAWAY));
    asked.await.expect("it is asked to end").expect("it ended with a call under way");
    served.log.allowed.notify_one();
    raw.next(HEADERS).await.expect("the call is answered");
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let served = Served::start(GrpcConfig::default()).await;
    let mut request = Request::new(GetHeadRequest {});
    request.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
    let large = "x".repeat(40 << 10);
    request.metadata_mut().insert("x-large", large.parse().unwrap());
    served.client().get_head(request).await.unwrap_err();
    assert_eq!(served.log.arrived.available_permits(), 0, "a request with huge headers came to the service");
}

/// The server's first frame is SETTINGS, with six bytes for each.
#[tokio::test]
async fn a_connection_is_told_how_many_requests_it_may_have_at_once() {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    let served = Served::start(GrpcConfig { max_streams: 7, ..GrpcConfig::default() }).await;
    let mut connection = TcpStream::connect(served.address).await.unwrap();
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    connection.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame is one of settings");
    let mut settings = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    connection.read_exact(&mut settings).await.unwrap();
    let stated = settings.chunks(6).find(|one| u16::from_be_bytes([one[0], one[1]]) == MAX_CONCURRENT_STREAMS);
    assert_eq!(stated.map(|one| &one[2..]), Some(&7_u32.to_be_bytes()[..]));
}
