//! Messages in streams, either way and both ways.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tongxin_proto::{
    POOL,
    pairing::v1::{
        BatchRegisterOrganisationsResponse, ImportRegionsRequest, ImportRegionsResponse, RegionEdition,
        import_regions_request::Part,
    },
};
use tonic::{Status, body::Body};
use tower::ServiceExt as _;

use super::{BATCH, IMPORT, SOON, WATCH, batch, envelope, opened, post, refusal, stream_of};
use crate::support::{FakePairing, PROVINCE, Stage, noon, world};

/// A message in the bytes of protobuf.
pub fn in_proto(message: &str, json: &Value) -> Vec<u8> {
    let form = POOL.get_message_by_name(message).unwrap();
    DynamicMessage::deserialize(form, json).unwrap().encode_to_vec()
}

fn messages(form: &str, names: &[&str]) -> Vec<u8> {
    let message = |message: &Value| match form {
        "application/connect+json" => envelope(0, message.to_string()),
        _ => envelope(0, in_proto("tongxin.pairing.v1.BatchRegisterOrganisationsRequest", message)),
    };
    batch(names).iter().flat_map(message).collect()
}

#[tokio::test]
async fn a_stream_is_sent_over_http_1_and_answered_once() {
    let stage = Stage::set().await;
    for form in ["application/connect+json", "application/connect+proto"] {
        let answer = post(&stage, BATCH, form, &[], messages(form, &["一", "二"])).await;
        assert_eq!(answer.headers()["content-type"], form);
        assert!(!answer.headers().contains_key("connect-content-encoding"));
        let (answers, end) = stream_of(answer).await;
        assert_eq!(end, json!({}));
        let [(0, answer)] = answers.as_slice() else { panic!("{answers:?}") };
        if form.ends_with("json") {
            let answer: Value = serde_json::from_slice(answer).unwrap();
            assert_eq!(answer, json!({ "outcome": { "accepted": "2", "ids": ["一", "二"] } }));
        } else {
            let answer = BatchRegisterOrganisationsResponse::decode(answer.as_slice()).unwrap();
            assert_eq!(answer.outcome.unwrap().ids, ["一", "二"]);
        }
    }
    assert_eq!(*stage.pairing.ended.lock().unwrap(), [Ok(2), Ok(2)]);
    stage.stop().await;
}

fn import() -> Vec<u8> {
    let edition = RegionEdition {
        request_id: uuid::Uuid::new_v4().to_string(),
        effective_from: Some(noon().date_naive().into()),
        ..RegionEdition::default()
    };
    envelope(0, ImportRegionsRequest { part: Some(Part::Edition(edition)) }.encode_to_vec())
}

#[tokio::test]
async fn each_message_is_answered_before_the_next_is_sent() {
    let stage = Stage::set().await;
    let (send, messages) = mpsc::channel::<Result<_, Status>>(1);
    let request = http::Request::post(format!("http://{}/{IMPORT}", stage.grpc))
        .header("content-type", "application/connect+proto")
        .header("authorization", format!("Bearer {}", stage.world.token("operator", PROVINCE)))
        .body(Body::new(StreamBody::new(ReceiverStream::new(messages))))
        .unwrap();
    let mut answer = timeout(SOON, stage.channel().oneshot(request)).await.unwrap().unwrap().into_body();
    let mut told = Vec::new();
    for count in 1..=3 {
        send.send(Ok(http_body::Frame::data(Bytes::from(import())))).await.unwrap();
        told.clear();
        while told.len() < 5 + 2 {
            let frame = timeout(SOON, answer.frame()).await.unwrap().unwrap().unwrap();
            told.extend(frame.into_data().unwrap());
        }
        assert_eq!(told[0], 0);
        assert_eq!(ImportRegionsResponse::decode(&told[5..]).unwrap().received, count);
    }
    drop(send);
    let end = timeout(SOON, answer.collect()).await.unwrap().unwrap().to_bytes();
    let (none, end) = opened(&end);
    assert!(none.is_empty());
    assert_eq!((&end["error"]["code"], &end["error"]["message"]), (&json!("data_loss"), &json!("the end")));
    stage.stop().await;
}

#[tokio::test]
async fn both_ways_go_over_http_1_one_after_the_other() {
    let stage = Stage::set().await;
    let body = [import(), import()].concat();
    let (answers, end) = stream_of(post(&stage, IMPORT, "application/connect+proto", &[], body).await).await;
    assert_eq!((answers.len(), end["error"]["code"].as_str()), (2, Some("data_loss")));
    stage.stop().await;
}

/// Health says at once how it is, and again whenever that changes.
#[tokio::test]
async fn a_caller_can_bound_the_time_of_a_stream() {
    let stage = Stage::set().await;
    let time = [("connect-timeout-ms", "500")];
    let answer = post(&stage, WATCH, "application/connect+json", &time, envelope(0, "{}")).await;
    let (answers, end) = timeout(Duration::from_secs(10), stream_of(answer)).await.unwrap();
    assert_eq!(answers, [(0, br#"{"status":"SERVING"}"#.to_vec())]);
    assert_eq!(refusal(&end["error"]), ("deadline_exceeded", "DEADLINE_EXCEEDED"), "{end}");
    stage.stop().await;
}

#[tokio::test]
async fn a_method_of_one_message_says_that_none_came() {
    let stage = Stage::set().await;
    for form in ["application/connect+json", "application/connect+proto"] {
        let (answers, end) = stream_of(post(&stage, WATCH, form, &[], "").await).await;
        assert!(answers.is_empty());
        assert_eq!(refusal(&end["error"]), ("invalid_argument", "MESSAGE_MALFORMED"), "{end}");
        assert!(end["error"]["message"].as_str().unwrap().contains("no message came"), "{end}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn the_server_reflects_in_both_versions() {
    let stage = Stage::set().await;
    for version in ["v1", "v1alpha"] {
        let method = format!("grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let question = envelope(0, json!({ "listServices": "" }).to_string());
        let (answers, end) = stream_of(post(&stage, &method, "application/connect+json", &[], question).await).await;
        assert_eq!(end, json!({}));
        let answer: Value = serde_json::from_slice(&answers[0].1).unwrap();
        let services = answer["listServicesResponse"]["service"].as_array().unwrap();
        let has = |name: &str| services.iter().any(|service| service["name"] == name);
        assert!(has("tongxin.pairing.v1.PairingService"), "{answer}");
        assert!(has(&format!("grpc.reflection.{version}.ServerReflection")), "{answer}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_method_that_does_not_stream_says_so() {
    let stage = Stage::set().await;
    for (method, reason) in
        [(super::GET_REGION, "CONTENT_TYPE_WRONG"), ("tongxin.unknown.v1.Service/Get", "METHOD_UNKNOWN")]
    {
        let (answers, end) = stream_of(post(&stage, method, "application/connect+json", &[], "").await).await;
        assert!(answers.is_empty());
        assert_eq!(refusal(&end["error"]), ("unimplemented", reason), "{end}");
    }
    stage.stop().await;
}

/// Else half of a batch would be taken for all of it.
#[tokio::test]
async fn a_stream_that_breaks_off_is_not_taken_for_one_that_ends() {
    let stage = Stage::set().await;
    for form in ["application/connect+json", "application/connect+proto"] {
        let mut body = messages(form, &["一", "二"]);
        body.extend(envelope(0, "{"));
        let (answers, end) = stream_of(post(&stage, BATCH, form, &[], body).await).await;
        assert!(answers.is_empty());
        assert_eq!(refusal(&end["error"]).0, "invalid_argument", "{form}: {end}");
    }
    let broken =
        br#"[{"options":{"requestId":"8f5e3c2e-6f0f-4f43-9d0e-3d5f3a3a0c11"}},{"rows":{"rows":[{"name":"x"}]}},7]"#;
    let refused = post(&stage, BATCH, "application/json", &[], broken.to_vec()).await;
    assert_eq!(refused.status(), 400);
    let ended = stage.pairing.ended.lock().unwrap().clone();
    assert!(ended.iter().all(Result::is_err), "{ended:?}");
    stage.stop().await;
}

/// Its messages are passed on one by one, and each is let go when the next one comes.
#[tokio::test]
async fn a_stream_may_be_longer_than_all_that_is_held_at_once() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.max_body_bytes = 1 << 20).await;
    let name = "x".repeat(100 << 10);
    let [options, rows] = batch(&[&name]);
    let rows = envelope(0, rows.to_string());
    let messages = std::iter::once(envelope(0, options.to_string())).chain(std::iter::repeat_n(rows, 20));
    let frames: Vec<_> =
        messages.map(|message| Ok::<_, Status>(http_body::Frame::data(Bytes::from(message)))).collect();
    let body = reqwest::Body::wrap(StreamBody::new(tokio_stream::iter(frames)));
    let (answers, end) = stream_of(post(&stage, BATCH, "application/connect+json", &[], body).await).await;
    assert_eq!((answers.len(), end), (1, json!({})));
    assert_eq!(*stage.pairing.ended.lock().unwrap(), [Ok(20)]);
    stage.stop().await;
}
