//! What one caller cannot do to others.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::timeout;
use tongxin_proto::CheckedCodec;
use tonic::client::Grpc;

use super::{
    raw::{HEADERS, Raw},
    *,
};
use tongxin_platform::testing::eventually;

impl Served {
    /// The token of another subject with the same role.
    fn another(&self, role: &str) -> String {
        format!("Bearer {}", self.world.token(role, "441881000000"))
    }
}

#[tokio::test]
async fn a_subject_has_a_quarter_of_the_places_unless_the_settings_say_otherwise() {
    let shares = BTreeMap::from([("operator".to_owned(), 50)]);
    for (shares, own) in [(BTreeMap::new(), 1), (shares, 2)] {
        let served = Arc::new(Served::start(GrpcConfig { max_log_requests: 4, shares, ..GrpcConfig::default() }).await);
        let ask = |bearer: String| {
            let served = Arc::clone(&served);
            tokio::spawn(async move { served.head(Some(&bearer)).await })
        };
        let greedy: Vec<_> = (0..own).map(|_| ask(served.bearer("operator"))).collect();
        served.log.arrived.acquire_many(own).await.unwrap().forget();
        let refused = served.head(Some(&served.bearer("operator"))).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unavailable, "SHARE_EXHAUSTED".to_owned()));

        let other = ask(served.another("operator"));
        served.log.arrived.acquire().await.unwrap().forget();
        served.log.allowed.notify_waiters();
        for answer in greedy.into_iter().chain([other]) {
            answer.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_keeps_its_place_for_so_long_and_no_longer() {
    let config = GrpcConfig { max_log_requests: 1, send_seconds: 2, ..GrpcConfig::default() };
    let served = Served::start(config).await;
    let mut raw = Raw::connect(served.address, 0).await;
    served.log.allowed.notify_one();
    raw.ask(1, &served.bearer("operator"), true).await.unwrap();
    raw.next(HEADERS).await.expect("the answer's head needs no window");
    let refused = served.head(Some(&served.another("operator"))).await.unwrap_err();
    assert_eq!(refusal(&refused), (Code::Unavailable, "OVERLOADED".to_owned()));
    has_a_place(&served).await;
}

async fn has_a_place(served: &Served) {
    eventually("there is a place again", || async {
        served.log.allowed.notify_one();
        served.head(Some(&served.another("operator"))).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_message_that_does_not_come_and_a_stream_that_is_not_read_end() {
    let config = GrpcConfig { max_log_requests: 1, stall_seconds: 1, ..GrpcConfig::default() };
    let served = Served::start(config).await;
    let mut grpc = Grpc::new(served.channel.clone());
    grpc.ready().await.unwrap();
    let mut silent = Request::new(stream::pending::<GetHeadRequest>());
    silent.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
    let path = http::uri::PathAndQuery::from_static("/tongxin.log.v1.LogService/GetHead");
    let codec = CheckedCodec::<GetHeadRequest, GetHeadResponse>::default();
    let call = timeout(Duration::from_secs(20), grpc.client_streaming(silent, path, codec));
    let ended = call.await.expect("it ends before the request's time is over").unwrap_err();
    assert_eq!(refusal(&ended), (Code::DeadlineExceeded, "STALLED".to_owned()));
    assert_eq!(served.log.arrived.available_permits(), 0, "it came to the service");

    let unread = served.read(0).await.unwrap();
    has_a_place(&served).await;
    drop(unread);
}

/// The log has nothing new for longer than the stall timeout: that is not the reader's fault.
#[tokio::test]
async fn a_reader_who_waits_for_us_is_not_cut_off() {
    let served = Served::start(GrpcConfig { stall_seconds: 1, ..GrpcConfig::default() }).await;
    let mut answers = served.read(1).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let nothing = timeout(Duration::from_millis(2_500), answers.message()).await;
    assert!(nothing.is_err(), "it ended: {nothing:?}");
    served.log.stream_may_end.notify_one();
    assert_eq!(answers.message().await.unwrap(), None);
}

#[tokio::test]
async fn bytes_that_are_worked_on_are_counted() {
    let config = GrpcConfig { max_body_bytes: 1 << 20, ..GrpcConfig::default() };
    let served = Arc::new(Served::start(config).await);
    let send = |bytes: usize| {
        let served = Arc::clone(&served);
        tokio::spawn(async move {
            let mut grpc = Grpc::new(served.channel.clone());
            grpc.ready().await.unwrap();
            // Unknown fields are ignored.
            let mut request = Request::new(GetHeadResponse { hash: vec![0; bytes], ..GetHeadResponse::default() });
            request.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
            let path = http::uri::PathAndQuery::from_static("/tongxin.log.v1.LogService/GetHead");
            grpc.unary(request, path, CheckedCodec::<GetHeadResponse, GetHeadResponse>::default()).await
        })
    };
    let too_much = send(300 << 10).await.unwrap().unwrap_err();
    assert_eq!(refusal(&too_much), (Code::Unavailable, "SHARE_EXHAUSTED".to_owned()));

    // Bytes in work count, and are released.
    for _ in 0..3 {
        let working = send(200 << 10);
        served.log.arrived.acquire().await.unwrap().forget();
        let refused = send(200 << 10).await.unwrap().expect_err("there is no room for a second one");
        assert_eq!(refusal(&refused), (Code::Unavailable, "SHARE_EXHAUSTED".to_owned()));
        assert_eq!(served.log.arrived.available_permits(), 0, "it came to the service");
        served.log.allowed.notify_one();
        working.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_client_that_gives_up_call_after_call_loses_its_connection() {
    let served = Served::start(GrpcConfig { max_given_up: 20, ..GrpcConfig::default() }).await;
    let mut raw = Raw::connect(served.address, 1 << 16).await;
    let bearer = served.bearer("operator");
    for call in 0..200 {
        let stream = 1 + 2 * call;
        if raw.ask(stream, &bearer, true).await.is_err() || raw.reset(stream).await.is_err() {
            break;
        }
        // Each has reached the service before it is cancelled: earlier resets have a limit of their own.
        tokio::task::yield_now().await;
    }
    let end = timeout(Duration::from_secs(20), async { while raw.next(HEADERS).await.is_some() {} });
    end.await.expect("the connection is closed");
    has_a_place(&served).await;
}

#[tokio::test]
async fn a_connection_without_a_call_is_closed_and_one_with_a_call_stays() {
    let served = Served::start(GrpcConfig { idle_seconds: 1, ..GrpcConfig::default() }).await;
    has_a_place(&served).await;
    let mut idle = Raw::connect(served.address, 0).await;
    let end = timeout(Duration::from_secs(20), async { while idle.next(HEADERS).await.is_some() {} });
    end.await.expect("the connection is closed");

    let mut known = Raw::connect(served.address, 1 << 16).await;
    served.log.allowed.notify_one();
    known.ask(1, &served.bearer("operator"), true).await.unwrap();
    known.next(HEADERS).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    served.log.allowed.notify_one();
    known.ask(3, &served.bearer("operator"), true).await.unwrap();
    known.next(HEADERS).await.expect("it is still there");
}

#[tokio::test]
async fn idle_connections_make_place_for_those_who_call() {
    let served = Served::start(GrpcConfig { max_connections: 4, ..GrpcConfig::default() }).await;
    has_a_place(&served).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(Raw::connect(served.address, 0).await);
        let fresh = channel(&format!("http://{}", served.address)).unwrap();
        served.log.allowed.notify_one();
        let mut request = Request::new(GetHeadRequest {});
        request.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
        LogServiceClient::new(fresh).get_head(request).await.unwrap();
    }
}
