//! Every unary call can be made in plain JSON.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    CITY, COUNTY, PROVINCE, Stage, UNKNOWN_NAME, UNKNOWN_REGION, VILLAGE,
    events::{assisted, register},
};

const SCORECARD: &str = "tongxin.gateway.v1.GatewayService/GetScorecard";
const REGION: &str = "tongxin.pairing.v1.PairingService/GetRegion";
const BATCH: &str = "tongxin.pairing.v1.PairingService/BatchRegisterOrganisations";

async fn post(stage: &Stage, token: Option<&str>, method: &str, body: impl Into<reqwest::Body>) -> Response {
    let url = format!("http://{}/{method}", stage.grpc);
    let mut request = Client::new().post(url).header("content-type", "application/json; charset=utf-8").body(body);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.send().await.unwrap()
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/json");
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_scorecard_is_read_in_json() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state(&assisted(VILLAGE, "2025-01-01", 1)).await;
    stage.settle().await;
    let token = stage.world.token("hq", PROVINCE);

    let question = json!({ "regionCode": CITY, "asOf": { "year": 2025, "month": 12, "day": 30 } });
    let (status, scorecard) = answer(post(&stage, Some(&token), SCORECARD, question.to_string()).await).await;
    assert_eq!(status, 200);
    assert_eq!(scorecard["scorecard"]["regionName"], "清远市");
    assert_eq!(scorecard["scorecard"]["figures"][2], json!({ "indicatorId": "assisted_villages", "value": "1" }));

    let (_, region) = answer(post(&stage, Some(&token), REGION, format!(r#"{{"code":"{COUNTY}"}}"#)).await).await;
    assert_eq!(region["region"]["name"], "阳山县");
    assert!(stage.pairing.seen.lock().unwrap().contains_key("authorization"));
    stage.stop().await;
}

#[tokio::test]
async fn errors_are_those_of_grpc() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.settle().await;
    let token = stage.world.token("hq", CITY);
    let future = json!({ "region_code": CITY, "as_of": { "year": 2026, "month": 1, "day": 1 } }).to_string();
    let of_two_digits = json!({ "region_code": CITY, "as_of": { "year": 25, "month": 12, "day": 31 } }).to_string();
    let unknown = format!(r#"{{"code":"{UNKNOWN_REGION}"}}"#);
    let provincial = format!(r#"{{"regionCode":"{PROVINCE}"}}"#);
    for (method, body, status, code, reason) in [
        (SCORECARD, future.as_str(), 400, "invalid_argument", "DATE_IN_FUTURE"),
        (SCORECARD, of_two_digits.as_str(), 400, "invalid_argument", "DATE_TOO_EARLY"),
        (SCORECARD, provincial.as_str(), 404, "not_found", "REGION_NOT_FOUND"),
        (SCORECARD, r#"{"regionCode":"44"}"#, 400, "invalid_argument", "INVALID_FIELDS"),
        (SCORECARD, r#"{"region":"441800000000"}"#, 400, "invalid_argument", "MESSAGE_MALFORMED"),
        (SCORECARD, r#"{"regionCode":"441800000000"} more"#, 400, "invalid_argument", "MESSAGE_MALFORMED"),
        (SCORECARD, "", 400, "invalid_argument", "MESSAGE_MALFORMED"),
        (REGION, unknown.as_str(), 404, "not_found", "REGION_NOT_FOUND"),
    ] {
        let (found, error) = answer(post(&stage, Some(&token), method, body.to_owned()).await).await;
        assert_eq!((found.as_u16(), error["code"].as_str()), (status, Some(code)), "{body}: {error}");
        assert_eq!(error["details"][0]["type"], "google.rpc.ErrorInfo");
        assert_eq!(error["details"][0]["debug"]["reason"], reason, "{body}: {error}");
    }

    let refused = post(&stage, None, SCORECARD, "{}").await;
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    let (status, error) = answer(refused).await;
    assert_eq!((status.as_u16(), &error["code"]), (401, &json!("unauthenticated")));
    let village = stage.world.token("village", VILLAGE);
    let import = "tongxin.pairing.v1.PairingService/EndPairing";
    let (status, error) = answer(post(&stage, Some(&village), import, "{}").await).await;
    assert_eq!((status.as_u16(), &error["code"]), (403, &json!("permission_denied")));
    for (method, reason) in [
        ("tongxin.unknown.v1.S/M", "METHOD_UNKNOWN"),
        ("x", "METHOD_UNKNOWN"),
        ("tongxin.pairing.v1.PairingService/ImportRegions", "CONTENT_TYPE_WRONG"),
    ] {
        let (status, error) = answer(post(&stage, Some(&token), method, "{}").await).await;
        assert_eq!((status.as_u16(), &error["code"]), (501, &json!("unimplemented")), "{method}");
        assert_eq!(error["details"][0]["debug"]["reason"], reason, "{method}: {error}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_not_repeated() {
    let stage = Stage::set().await;
    let token = stage.world.token("hq", PROVINCE);
    let [as_number, as_name, as_field, cut_off, in_latin] = [
        br#"{"regionCode":441823198001010017}"#.as_slice(),
        "{\n \"asOf\": {\"year\": \"陈小明\"}}".as_bytes(),
        "{\"陈小明\":441823198001010017}".as_bytes(),
        r#"{"regionCode":"陈小明"#.as_bytes(),
        b"{\"regionCode\":\"\xb3\xc2\"}",
    ];
    for (body, place) in [
        (as_number, "in line 1, column"),
        (as_name, "in line 2, column"),
        (as_field, "in line 1, column"),
        (cut_off, "it ends too early"),
        (in_latin, "it is not JSON in UTF-8"),
    ] {
        let (status, error) = answer(post(&stage, Some(&token), SCORECARD, body.to_vec()).await).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid_argument")), "{error}");
        assert_eq!(error["details"][0]["debug"]["reason"], "MESSAGE_MALFORMED", "{error}");
        let text = error["message"].as_str().unwrap();
        assert!(text.contains(place), "{text}");
        assert!(!text.contains("441823198001010017") && !text.contains("陈小明"), "{text}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit_and_only_for_those_who_may() {
    let stage = Stage::set().await;
    let large = format!(r#"{{"regionCode":"{}"}}"#, "4".repeat(5 << 20));
    let token = stage.world.token("hq", CITY);
    let (status, error) = answer(post(&stage, Some(&token), SCORECARD, large).await).await;
    assert_eq!((status.as_u16(), &error["code"]), (429, &json!("resource_exhausted")));

    // Without a token, a body that does not come is not waited for.
    let mut connection = TcpStream::connect(stage.grpc).await.unwrap();
    let head =
        format!("POST /{SCORECARD} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(5), connection.read_exact(&mut start));
    read.await.expect("an answer").unwrap();
    assert_eq!(std::str::from_utf8(&start).unwrap(), "HTTP/1.1 401");
    stage.stop().await;
}

#[tokio::test]
async fn a_caller_can_bound_the_time() {
    let stage = Stage::set().await;
    let url = format!("http://{}/tongxin.pairing.v1.PairingService/ListRegions", stage.grpc);
    let request = Client::new()
        .post(url)
        .header("content-type", "application/json")
        .header("connect-timeout-ms", "200")
        .header("authorization", format!("Bearer {}", stage.world.token("hq", CITY)))
        .body(format!(r#"{{"parentCode":"{CITY}"}}"#));
    // Well before the door gives up.
    let answered = tokio::time::timeout(Duration::from_secs(10), request.send()).await.unwrap();
    let (status, error) = answer(answered.unwrap()).await;
    assert_eq!((status.as_u16(), &error["code"]), (504, &json!("deadline_exceeded")));
    assert_eq!(error["details"][0]["debug"]["reason"], "DEADLINE_EXCEEDED", "{error}");
    stage.stop().await;
}

/// A sender who has only curl sends a few rows so.
#[tokio::test]
async fn messages_of_a_stream_can_be_sent_at_once() {
    let stage = Stage::set().await;
    let token = stage.world.token("hq", PROVINCE);
    let options = json!({ "options": { "requestId": uuid::Uuid::new_v4().to_string(), "allOrNothing": true } });
    let rows = |names: &[&str]| {
        let rows: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "rows": { "rows": rows } })
    };
    let mut object = options.clone();
    object.as_object_mut().unwrap().extend(rows(&["一", "二"]).as_object().unwrap().clone());
    for (body, names) in
        [(json!([options, rows(&["一"]), rows(&["二", "三"])]), vec!["一", "二", "三"]), (object, vec!["一", "二"])]
    {
        let (status, batch) = answer(post(&stage, Some(&token), BATCH, body.to_string()).await).await;
        assert_eq!((status.as_u16(), &batch["outcome"]["ids"]), (200, &json!(names)), "{batch}");
    }
    // What nobody sees is no part of a name, nor of the name of a value.
    let pasted = rows(&["\u{feff}一", "二\u{200b}"]).to_string().replacen(
        '}',
        ",\"kind\":\"ORGANISATION_KIND_SCHOOL\u{200b}\"}",
        1,
    );
    let body = format!("[{options},{pasted}]");
    let (status, batch) = answer(post(&stage, Some(&token), BATCH, body).await).await;
    assert_eq!((status.as_u16(), &batch["outcome"]["ids"]), (200, &json!(["一", "二"])), "{batch}");
    let wrong = json!([options, rows(&["一", UNKNOWN_NAME])]).to_string();
    for (body, status, reason) in [
        (wrong.as_str(), 400, "HOST_KIND_REQUIRED"),
        (r#"[{"options":{}}]"#, 400, "INVALID_FIELDS"),
        (r#"[{"option":{}}]"#, 400, "MESSAGE_MALFORMED"),
        (r#"{"options":{}"#, 400, "MESSAGE_MALFORMED"),
        ("7", 400, "MESSAGE_MALFORMED"),
        ("", 400, "MESSAGE_MALFORMED"),
    ] {
        let (found, error) = answer(post(&stage, Some(&token), BATCH, body.to_owned()).await).await;
        assert_eq!(error["details"][0]["debug"]["reason"], reason, "{body}: {error}");
        assert_eq!(found.as_u16(), status, "{body}");
    }
    let answered = "tongxin.pairing.v1.PairingService/ImportRegions";
    let (status, error) = answer(post(&stage, Some(&token), answered, "[]").await).await;
    assert_eq!((status.as_u16(), &error["details"][0]["debug"]["reason"]), (501, &json!("CONTENT_TYPE_WRONG")));
    assert!(error["message"].as_str().unwrap().contains("application/connect+json"), "{error}");
    stage.stop().await;
}

/// The door sees every token that came, as it does in gRPC.
#[tokio::test]
async fn two_tokens_are_refused_in_json_and_in_grpc_web() {
    let stage = Stage::set().await;
    let token = stage.world.token("hq", PROVINCE);
    for form in ["application/json", "application/grpc-web+proto"] {
        let url = format!("http://{}/{REGION}", stage.grpc);
        let mut request =
            Client::new().post(url).header("content-type", form).body(format!(r#"{{"code":"{COUNTY}"}}"#));
        for _ in 0..2 {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let refused = request.send().await.unwrap();
        let status = refused.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned());
        if form == "application/json" {
            let (status, error) = answer(refused).await;
            assert_eq!(
                (status, &error["details"][0]["debug"]["reason"]),
                (StatusCode::UNAUTHORIZED, &json!("TOKEN_INVALID"))
            );
        } else {
            assert_eq!(status.as_deref(), Some("16"), "{refused:?}");
        }
    }
    assert!(stage.pairing.seen.lock().unwrap().is_empty(), "it came to the service");
    stage.stop().await;
}
