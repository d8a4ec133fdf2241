//! Calls in the Connect protocol.

mod bad_input;
mod compressed;
mod errors;
mod streams;
mod unary;

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::{PROVINCE, Stage};

pub const GET_REGION: &str = "tongxin.pairing.v1.PairingService/GetRegion";
pub const LIST_REGIONS: &str = "tongxin.pairing.v1.PairingService/ListRegions";
pub const BATCH: &str = "tongxin.pairing.v1.PairingService/BatchRegisterOrganisations";
pub const IMPORT: &str = "tongxin.pairing.v1.PairingService/ImportRegions";
pub const CHECK: &str = "grpc.health.v1.Health/Check";
pub const WATCH: &str = "grpc.health.v1.Health/Watch";

/// Until then everything is answered.
pub const SOON: Duration = Duration::from_secs(20);

/// A message behind its flags and its length.
pub fn envelope(flags: u8, message: impl AsRef<[u8]>) -> Vec<u8> {
    let message = message.as_ref();
    [&[flags][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// The messages of a body with their flags, and what stands after the last.
pub fn opened(mut body: &[u8]) -> (Vec<(u8, Vec<u8>)>, Value) {
    let mut messages = Vec::new();
    loop {
        let (head, rest) = body.split_first_chunk::<5>().expect("an end");
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()).try_into().unwrap();
        let (message, rest) = rest.split_at(length);
        if head[0] == 2 {
            assert!(rest.is_empty(), "something after the end");
            return (messages, serde_json::from_slice(message).unwrap());
        }
        messages.push((head[0], message.to_owned()));
        body = rest;
    }
}

/// A body that is the messages of a stream.
pub async fn stream_of(answer: Response) -> (Vec<(u8, Vec<u8>)>, Value) {
    assert_eq!(answer.status(), 200);
    let form = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(form.starts_with("application/connect+"), "{form}");
    opened(&answer.bytes().await.unwrap())
}

/// Posts over HTTP/1.1 as somebody in the province who may.
pub async fn post(
    stage: &Stage,
    method: &str,
    form: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Response {
    let token = stage.world.token(if method == IMPORT { "operator" } else { "hq" }, PROVINCE);
    let mut request = Client::new()
        .post(format!("http://{}/{method}", stage.grpc))
        .header("content-type", form)
        .header("authorization", format!("Bearer {token}"))
        .timeout(SOON)
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

pub fn gzip(plain: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(plain.as_ref()).unwrap();
    packed.finish().unwrap()
}

pub fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut plain = flate2::write::GzDecoder::new(Vec::new());
    plain.write_all(packed).unwrap();
    plain.finish().unwrap()
}

/// The messages of a batch in JSON: options, and rows with names.
pub fn batch(names: &[&str]) -> [Value; 2] {
    let rows: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    [
        json!({ "options": { "requestId": uuid::Uuid::new_v4().to_string(), "allOrNothing": true } }),
        json!({ "rows": { "rows": rows } }),
    ]
}

/// An error's code and reason.
pub fn refusal(error: &Value) -> (&str, &str) {
    let reason = error["details"][0]["debug"]["reason"].as_str().unwrap_or_default();
    (error["code"].as_str().unwrap_or_default(), reason)
}
