//! gzip, both ways, within the same limits.

use std::time::Instant;

use prost::Message as _;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tongxin_proto::pairing::v1::{GetRegionRequest, GetRegionResponse};

use super::{BATCH, GET_REGION, batch, envelope, gunzip, gzip, post, refusal, stream_of};
use crate::support::{COUNTY, FakePairing, LONG_REGION, Stage, world};

const JSON: &str = "application/json";
const STREAM: &str = "application/connect+json";

async fn error(refused: Response) -> Value {
    serde_json::from_str(&refused.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn messages_may_come_compressed() {
    let stage = Stage::set().await;
    let packed = [("content-encoding", "gzip")];
    let answer = post(&stage, GET_REGION, JSON, &packed, gzip(json!({ "code": COUNTY }).to_string())).await;
    assert_eq!(error(answer).await["region"]["name"], "阳山县");
    let message = GetRegionRequest { code: COUNTY.to_owned() }.encode_to_vec();
    let answer = post(&stage, GET_REGION, "application/proto", &packed, gzip(message)).await;
    let answer = GetRegionResponse::decode(answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.region.unwrap().name, "阳山县");
    let all = Value::from(batch(&["一"]).to_vec());
    let answer = post(&stage, BATCH, JSON, &packed, gzip(all.to_string())).await;
    assert_eq!(error(answer).await["outcome"]["ids"], json!(["一"]));

    // In a stream each message says of itself whether it is.
    let [options, rows] = batch(&["一"]);
    let body = [envelope(0, options.to_string()), envelope(1, gzip(rows.to_string()))].concat();
    let packed = [("connect-content-encoding", "gzip")];
    let (answers, end) = stream_of(post(&stage, BATCH, STREAM, &packed, body).await).await;
    assert_eq!((answers.len(), end), (1, json!({})));
    stage.stop().await;
}

#[tokio::test]
async fn answers_are_compressed_where_it_is_worth_it_and_understood() {
    let stage = Stage::set().await;
    for form in [JSON, "application/proto"] {
        for (code, accepted, is_packed) in
            [(LONG_REGION, "br, gzip", true), (LONG_REGION, "br", false), (COUNTY, "gzip", false)]
        {
            let message = match form {
                JSON => json!({ "code": code }).to_string().into_bytes(),
                _ => GetRegionRequest { code: code.to_owned() }.encode_to_vec(),
            };
            let answer = post(&stage, GET_REGION, form, &[("accept-encoding", accepted)], message).await;
            let coding = answer.headers().get("content-encoding").cloned();
            assert_eq!(coding.is_some_and(|coding| coding == "gzip"), is_packed, "{form} {code} {accepted}");
            let bytes = answer.bytes().await.unwrap().to_vec();
            let bytes = if is_packed { gunzip(&bytes) } else { bytes };
            assert!(String::from_utf8_lossy(&bytes).contains(code), "{form} {code} {accepted}");
        }
    }

    let long = "县".repeat(1_000);
    for (name, accepted, flags) in [(long.as_str(), "gzip", 1), (&long, "identity", 0), ("一", "gzip", 0)] {
        let body = batch(&[name]).map(|message| envelope(0, message.to_string())).concat();
        let answer = post(&stage, BATCH, STREAM, &[("connect-accept-encoding", accepted)], body).await;
        let coding = answer.headers().get("connect-content-encoding").cloned();
        assert_eq!(coding.is_some_and(|coding| coding == "gzip"), accepted == "gzip");
        let (answers, end) = stream_of(answer).await;
        assert_eq!((answers[0].0, end), (flags, json!({})));
        let answer = if flags == 1 { gunzip(&answers[0].1) } else { answers[0].1.clone() };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["outcome"]["ids"], json!([name]));
    }
    stage.stop().await;
}

#[tokio::test]
async fn other_compressions_are_refused_and_the_known_one_is_named() {
    let stage = Stage::set().await;
    let refused = post(&stage, GET_REGION, JSON, &[("content-encoding", "br")], "x").await;
    assert_eq!(refused.status(), StatusCode::NOT_IMPLEMENTED);
    let refused = error(refused).await;
    let answer = post(&stage, BATCH, STREAM, &[("connect-content-encoding", "zstd")], "x").await;
    for refused in [refused, stream_of(answer).await.1["error"].clone()] {
        assert_eq!(refusal(&refused), ("unimplemented", "COMPRESSION_UNKNOWN"));
        assert!(refused["message"].as_str().unwrap().contains("gzip"), "{refused}");
    }
    stage.stop().await;
}

/// A few kibibytes that would be many mebibytes.
#[tokio::test]
async fn bombs_are_refused_at_the_limit() {
    let stage = Stage::set().await;
    let bomb = gzip(vec![b' '; 32 << 20]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let began = Instant::now();
    for (method, form) in [(GET_REGION, JSON), (GET_REGION, "application/proto"), (BATCH, JSON)] {
        let refused = post(&stage, method, form, &[("content-encoding", "gzip")], bomb.clone()).await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refusal(&error(refused).await), ("resource_exhausted", "MESSAGE_TOO_LARGE"));
    }
    for form in [STREAM, "application/connect+proto"] {
        let packed = [("connect-content-encoding", "gzip")];
        let (_, end) = stream_of(post(&stage, BATCH, form, &packed, envelope(1, &bomb)).await).await;
        assert_eq!(refusal(&end["error"]), ("resource_exhausted", "MESSAGE_TOO_LARGE"));
    }
    // Each is refused after four of its mebibytes.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    stage.stop().await;
}

#[tokio::test]
async fn what_is_unpacked_is_counted_as_if_it_had_come_so() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.max_body_bytes = 1 << 20).await;
    let packed = |bytes: usize| gzip(format!(r#"{{"code":"{}"}}"#, "4".repeat(bytes)));
    let headers = [("content-encoding", "gzip")];
    let refused = post(&stage, GET_REGION, JSON, &headers, packed(400 << 10)).await;
    assert_eq!(refusal(&error(refused).await), ("unavailable", "SHARE_EXHAUSTED"));
    for _ in 0..8 {
        // It is given back, so each is read; what it says is wrong.
        let read = post(&stage, GET_REGION, JSON, &headers, packed(200 << 10)).await;
        assert_eq!(read.status(), StatusCode::BAD_REQUEST);
    }
    // And those of a stream one after the other.
    let name = "x".repeat(150 << 10);
    let [options, rows] = batch(&[&name]);
    let rows = envelope(1, gzip(rows.to_string()));
    let body = [envelope(0, options.to_string()), rows.repeat(8)].concat();
    let answer = post(&stage, BATCH, STREAM, &[("connect-content-encoding", "gzip")], body).await;
    let (answers, end) = stream_of(answer).await;
    assert_eq!((answers.len(), end), (1, json!({})));
    stage.stop().await;
}
