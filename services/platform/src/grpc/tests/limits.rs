//! Too many requests, and requests that take too long.

use std::time::Duration;

use super::*;
use crate::testing::eventually;

#[tokio::test]
async fn a_full_server_says_so_at_once_and_takes_requests_again() {
    let served = Arc::new(Served::start(GrpcConfig { max_requests: 2, ..GrpcConfig::default() }).await);
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

    served.log.allowed.notify_waiters();
    for answer in working {
        answer.await.unwrap().unwrap();
    }
    served.log.allowed.notify_one();
    served.head(Some(&bearer)).await.unwrap();
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_and_its_place_is_free() {
    let config = GrpcConfig { timeout_seconds: 1, max_requests: 1, ..GrpcConfig::default() };
    let served = Served::start(config).await;
    let bearer = served.bearer("operator");
    for _ in 0..2 {
        let given_up = served.head(Some(&bearer)).await.unwrap_err();
        assert_eq!(given_up.code(), Code::DeadlineExceeded);
    }
}

/// A server with a single place, and an answer on its way that streams and holds it.
async fn full_of_a_stream(limit: i32, stream_timeout_seconds: u64) -> (Served, Streaming<ReadEventsResponse>) {
    let config = GrpcConfig { max_requests: 1, stream_timeout_seconds, ..GrpcConfig::default() };
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
    assert_eq!(given_up.code(), Code::DeadlineExceeded);
    has_a_free_place(&served).await;
}

/// Flow control holds the answer up, so nobody asks it whether its time is up.
#[tokio::test]
async fn a_caller_who_does_not_read_loses_the_place() {
    let (served, answers) = full_of_a_stream(0, 1).await;
    has_a_free_place(&served).await;
    drop(answers);
}

#[tokio::test]
async fn a_stream_has_more_time_than_other_requests() {
    let config = GrpcConfig { timeout_seconds: 0, ..GrpcConfig::default() };
    let served = Served::start(config).await;
    let mut answers = served.read(1).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let given_up = served.head(Some(&served.bearer("operator"))).await.unwrap_err();
    assert_eq!(given_up.code(), Code::DeadlineExceeded);
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
async fn headers_that_are_too_large_are_refused() {
    let served = Served::start(GrpcConfig::default()).await;
    let mut request = Request::new(GetHeadRequest {});
    request.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
    let large = "x".repeat(40 << 10);
    request.metadata_mut().insert("x-large", large.parse().unwrap());
    served.client().get_head(request).await.unwrap_err();
    assert_eq!(served.log.arrived.available_permits(), 0, "a request with huge headers came to the service");
}
