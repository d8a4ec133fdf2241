//! One message, and one answer.

use prost::Message as _;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tongxin_proto::pairing::v1::{GetRegionRequest, GetRegionResponse, ListRegionsRequest};

use super::{CHECK, GET_REGION, LIST_REGIONS, SOON, post, refusal};
use crate::support::{CITY, COUNTY, Stage};

fn get(code: &str) -> Vec<u8> {
    GetRegionRequest { code: code.to_owned() }.encode_to_vec()
}

#[tokio::test]
async fn a_message_in_protobuf_is_answered_by_one() {
    let stage = Stage::set().await;
    for version in [&[("connect-protocol-version", "1")][..], &[]] {
        let answer = post(&stage, GET_REGION, "application/proto", version, get(COUNTY)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/proto");
        let answer = GetRegionResponse::decode(answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer.region.unwrap().name, "阳山县");
    }
    let seen = stage.pairing.seen.lock().unwrap().clone();
    assert!(seen.contains_key("authorization") && !seen.contains_key("connect-protocol-version"), "{seen:?}");
    stage.stop().await;
}

#[tokio::test]
async fn what_the_head_says_is_checked() {
    let stage = Stage::set().await;
    for (name, value) in [("connect-protocol-version", "2"), ("connect-timeout-ms", "12345678901")] {
        let refused = post(&stage, GET_REGION, "application/proto", &[(name, value)], get(COUNTY)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(refused.headers()["content-type"], "application/json");
        let error: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
        assert_eq!(refusal(&error), ("invalid_argument", "HEADER_INVALID"));
        assert!(error["message"].as_str().unwrap().starts_with(name), "{error}");
    }
    let list = ListRegionsRequest { parent_code: CITY.to_owned(), ..ListRegionsRequest::default() }.encode_to_vec();
    let late = post(&stage, LIST_REGIONS, "application/proto", &[("connect-timeout-ms", "200")], list).await;
    assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
    let seen = stage.pairing.seen.lock().unwrap().clone();
    assert!(seen.contains_key("grpc-timeout"), "{seen:?}");
    stage.stop().await;
}

/// Anyone may ask it, in every form.
#[tokio::test]
async fn health_is_told_in_json_and_in_protobuf() {
    let stage = Stage::set().await;
    let ask = |form: &str, body: Vec<u8>| {
        let url = format!("http://{}/{CHECK}", stage.grpc);
        Client::new().post(url).header("content-type", form).timeout(SOON).body(body).send()
    };
    let health: Value =
        serde_json::from_str(&ask("application/json", b"{}".to_vec()).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(health, json!({ "status": "SERVING" }));
    let health = ask("application/proto", Vec::new()).await.unwrap();
    assert_eq!(health.bytes().await.unwrap().as_ref(), [8, 1]);
    stage.stop().await;
}

#[tokio::test]
async fn who_calls_wrongly_is_told_how_to_call() {
    let stage = Stage::set().await;
    let client = Client::new();
    for path in [GET_REGION, CHECK, "tongxin.unknown.v1.Service/Get"] {
        let url = format!("http://{}/{path}", stage.grpc);
        for form in [None, Some("application/json"), Some("application/grpc"), Some("application/connect+proto")] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let mut request = client.request(method, &url);
                if let Some(form) = form {
                    request = request.header("content-type", form);
                }
                let refused = request.send().await.unwrap();
                assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
                assert_eq!(refused.headers()["allow"], "POST");
                assert_eq!(refused.headers()["content-type"], "text/plain; charset=utf-8");
                assert!(refused.text().await.unwrap().contains("POST"));
            }
        }
        for form in ["text/plain", "application/x-www-form-urlencoded", "application/connect+xml", ""] {
            let refused = client.post(&url).header("content-type", form).body("x").send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{form}");
            let taken = refused.headers()["accept-post"].to_str().unwrap().to_owned();
            for form in ["application/json", "application/proto", "application/connect+json", "application/grpc-web"] {
                assert!(taken.contains(form), "{taken}");
            }
            assert!(refused.text().await.unwrap().contains(&taken));
        }
    }
    stage.stop().await;
}
