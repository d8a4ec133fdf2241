//! An error has the same code, reason and field in whichever protocol one hears of it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost::Message as _;
use reqwest::Response;
use serde_json::Value;
use tokio_stream::iter;
use tongxin_proto::pairing::v1::{
    BatchRegisterOrganisationsRequest, GetRegionRequest, pairing_service_client::PairingServiceClient,
};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{BATCH, GET_REGION, LIST_REGIONS, WATCH, batch, envelope, post, stream_of, streams::in_proto};
use crate::support::{PROVINCE, Stage, UNKNOWN_NAME, UNKNOWN_REGION};

/// Code, reason and field.
#[derive(Debug, PartialEq, Eq)]
struct Told(String, String, Option<String>);

fn of_status(status: &Status) -> Told {
    // As Connect writes them.
    let code = format!("{:?}", status.code());
    let words = code.char_indices().map(|(at, letter)| match letter {
        'A'..='Z' if at > 0 => format!("_{}", letter.to_ascii_lowercase()),
        letter => letter.to_ascii_lowercase().to_string(),
    });
    let field = status.get_details_bad_request().map(|bad| bad.field_violations[0].field.clone());
    Told(words.collect(), status.get_details_error_info().unwrap().reason, field)
}

fn of_json(error: &Value) -> Told {
    let details = error["details"].as_array().unwrap();
    let readable = |detail: &Value| detail["debug"]["fieldViolations"][0]["field"].as_str().map(str::to_owned);
    let reason = details[0]["debug"]["reason"].as_str().unwrap().to_owned();
    Told(error["code"].as_str().unwrap().to_owned(), reason, details.iter().find_map(readable))
}

async fn of_body(refused: Response) -> Told {
    assert!(refused.status().is_client_error());
    of_json(&serde_json::from_str(&refused.text().await.unwrap()).unwrap())
}

fn of_head(refused: &Response) -> Told {
    of_status(&Status::from_header_map(refused.headers()).unwrap())
}

#[tokio::test]
async fn unary_errors_are_the_same_in_every_protocol() {
    let stage = Stage::set().await;
    for code in [UNKNOWN_REGION, "44"] {
        let message = GetRegionRequest { code: code.to_owned() };
        let bytes = message.encode_to_vec();
        let json = format!(r#"{{"code":"{code}"}}"#);
        let mut grpc = PairingServiceClient::new(stage.channel());
        let right = of_status(&grpc.get_region(stage.request("hq", PROVINCE, message)).await.unwrap_err());
        assert_eq!(right.2.is_some(), code == "44", "{right:?}");
        assert_eq!(of_body(post(&stage, GET_REGION, "application/json", &[], json).await).await, right);
        assert_eq!(of_body(post(&stage, GET_REGION, "application/proto", &[], bytes.clone()).await).await, right);
        let framed = envelope(0, bytes);
        let in_base64 = BASE64_STANDARD.encode(&framed);
        assert_eq!(of_head(&post(&stage, GET_REGION, "application/grpc-web", &[], framed).await), right);
        assert_eq!(of_head(&post(&stage, GET_REGION, "application/grpc-web-text", &[], in_base64).await), right);
    }
    stage.stop().await;
}

#[tokio::test]
async fn errors_of_streams_are_the_same_in_every_protocol() {
    let stage = Stage::set().await;
    let messages = batch(&["一", UNKNOWN_NAME]);
    let in_proto =
        messages.clone().map(|message| in_proto("tongxin.pairing.v1.BatchRegisterOrganisationsRequest", &message));
    let sent = in_proto.clone().map(|bytes| BatchRegisterOrganisationsRequest::decode(bytes.as_slice()).unwrap());
    let mut grpc = PairingServiceClient::new(stage.channel());
    let refused = grpc.batch_register_organisations(stage.request("hq", PROVINCE, iter(sent))).await;
    let right = of_status(&refused.unwrap_err());
    assert_eq!(
        right,
        Told("invalid_argument".to_owned(), "HOST_KIND_REQUIRED".to_owned(), Some("rows[1].name".to_owned()))
    );

    let framed: Vec<u8> = in_proto.iter().flat_map(|bytes| envelope(0, bytes)).collect();
    let json: Vec<u8> = messages.iter().flat_map(|message| envelope(0, message.to_string())).collect();
    for (form, body) in [("application/connect+proto", &framed), ("application/connect+json", &json)] {
        let (_, end) = stream_of(post(&stage, BATCH, form, &[], body.clone()).await).await;
        assert_eq!(of_json(&end["error"]), right, "{form}");
    }
    let all = Value::from(messages.to_vec()).to_string();
    assert_eq!(of_body(post(&stage, BATCH, "application/json", &[], all).await).await, right);
    assert_eq!(of_head(&post(&stage, BATCH, "application/grpc-web", &[], framed.clone()).await), right);
    let in_base64 = BASE64_STANDARD.encode(&framed);
    assert_eq!(of_head(&post(&stage, BATCH, "application/grpc-web-text", &[], in_base64).await), right);
    stage.stop().await;
}

#[tokio::test]
async fn bodies_that_are_no_messages_are_refused_alike_in_every_protocol() {
    let stage = Stage::set().await;
    let malformed = Told("invalid_argument".to_owned(), "MESSAGE_MALFORMED".to_owned(), None);
    for body in [&b""[..], &[0, 0], &[0, 0, 0, 0, 9, 1], &[1, 0, 0, 0, 0], &[7, 0, 0, 0, 0]] {
        for method in [GET_REGION, WATCH] {
            for form in ["application/grpc", "application/grpc-web"] {
                let refused = post(&stage, method, form, &[], body.to_vec()).await;
                assert_eq!(of_head(&refused), malformed, "{method} {form} {body:?}");
            }
        }
        for form in ["application/connect+json", "application/connect+proto"] {
            let (_, end) = stream_of(post(&stage, WATCH, form, &[], body.to_vec()).await).await;
            assert_eq!(of_json(&end["error"]), malformed, "{form} {body:?}");
        }
    }
    stage.stop().await;
}

#[tokio::test]
async fn unknown_methods_and_times_that_are_over_have_the_same_reasons_in_every_protocol() {
    let stage = Stage::set().await;
    let unknown = Told("unimplemented".to_owned(), "METHOD_UNKNOWN".to_owned(), None);
    let late = Told("deadline_exceeded".to_owned(), "DEADLINE_EXCEEDED".to_owned(), None);
    for (method, time, right) in [("tongxin.unknown.v1.Service/Get", "9S", &unknown), (LIST_REGIONS, "0n", &late)] {
        for form in ["application/grpc", "application/grpc-web", "application/grpc-web-text"] {
            let refused = post(&stage, method, form, &[("grpc-timeout", time)], envelope(0, "")).await;
            assert_eq!(&of_head(&refused), right, "{method} {form}");
        }
        for form in ["application/json", "application/proto"] {
            for time in [("grpc-timeout", time), ("connect-timeout-ms", time.trim_matches(['S', 'n']))] {
                let refused = post(&stage, method, form, &[time], "{}").await;
                let refused = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
                assert_eq!(&of_json(&refused), right, "{method} {form} {time:?}");
            }
        }
    }
    stage.stop().await;
}
