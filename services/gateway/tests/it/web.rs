//! Pages in a browser call in gRPC-Web, if their origin may.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use prost::Message as _;
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use tongxin_platform::testing::TestWorld;
use tongxin_proto::pairing::v1::{
    GetRegionRequest, GetRegionResponse, ImportRegionsRequest, ImportRegionsResponse, RegionEdition,
    import_regions_request::Part,
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::support::{COUNTY, FakePairing, PROVINCE, Stage, UNKNOWN_REGION, noon, world};

const GET_REGION: &str = "tongxin.pairing.v1.PairingService/GetRegion";
const IMPORT: &str = "tongxin.pairing.v1.PairingService/ImportRegions";
const BOARD: &str = "https://board.example.gov.cn";

/// A message behind its flag and its length.
fn frame(message: &impl prost::Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    [&[0], u32::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), &bytes].concat()
}

/// What a body says: its messages, and the trailers at its end.
fn unframe(mut body: &[u8]) -> (Vec<Vec<u8>>, HeaderMap) {
    let (mut messages, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some((head, rest)) = body.split_first_chunk::<5>() {
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()).try_into().unwrap();
        let (content, rest) = rest.split_at(length);
        if head[0] == 0x80 {
            for line in std::str::from_utf8(content).unwrap().lines() {
                let (name, value) = line.split_once(':').unwrap();
                trailers.insert(name.parse::<http::HeaderName>().unwrap(), value.trim().parse().unwrap());
            }
        } else {
            assert!(trailers.is_empty(), "a message after the trailers");
            messages.push(content.to_owned());
        }
        body = rest;
    }
    assert!(body.is_empty());
    (messages, trailers)
}

/// Each part is padded by itself.
fn from_base64(text: &str) -> Vec<u8> {
    let parts = text.split('=').filter(|part| !part.is_empty());
    parts.flat_map(|part| BASE64_STANDARD_NO_PAD.decode(part).unwrap()).collect()
}

async fn post(stage: &Stage, role: &str, method: &str, form: &str, body: Vec<u8>) -> Response {
    let token = stage.world.token(role, PROVINCE);
    let request = Client::new()
        .post(format!("http://{}/{method}", stage.grpc))
        .header("content-type", form)
        .header("accept", form)
        .header("x-grpc-web", "1")
        .header("authorization", format!("Bearer {token}"))
        .body(body);
    request.send().await.unwrap()
}

fn get(code: &str) -> Vec<u8> {
    frame(&GetRegionRequest { code: code.to_owned() })
}

#[tokio::test]
async fn a_page_calls_another_service_and_finds_the_trailers_in_the_body() {
    let stage = Stage::set().await;
    let answer = post(&stage, "hq", GET_REGION, "application/grpc-web+proto", get(COUNTY)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    let (messages, trailers) = unframe(&answer.bytes().await.unwrap());
    let [message] = messages.as_slice() else { panic!("{} messages", messages.len()) };
    assert_eq!(GetRegionResponse::decode(message.as_slice()).unwrap().region.unwrap().name, "阳山县");
    assert_eq!(trailers["grpc-status"], "0");
    let seen = stage.pairing.seen.lock().unwrap().clone();
    assert_eq!(seen.get("content-type").unwrap(), "application/grpc");
    stage.stop().await;
}

#[tokio::test]
async fn errors_keep_their_details_in_grpc_web() {
    let stage = Stage::set().await;
    // Before the first message an error comes as headers.
    let answer = post(&stage, "hq", GET_REGION, "application/grpc-web+proto", get(UNKNOWN_REGION)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!((status.code(), status.message()), (tonic::Code::NotFound, "no such region"));
    assert_eq!(status.get_details_error_info().unwrap().reason, "REGION_NOT_FOUND");

    // After it, as trailers in the body.
    let edition = RegionEdition {
        request_id: uuid::Uuid::new_v4().to_string(),
        effective_from: Some(noon().date_naive().into()),
        ..RegionEdition::default()
    };
    let import = frame(&ImportRegionsRequest { part: Some(Part::Edition(edition)) });
    let answer = post(&stage, "operator", IMPORT, "application/grpc-web+proto", import).await;
    assert!(answer.headers().get("grpc-status").is_none());
    let (messages, trailers) = unframe(&answer.bytes().await.unwrap());
    assert_eq!(ImportRegionsResponse::decode(messages[0].as_slice()).unwrap().received, 1);
    let status = Status::from_header_map(&trailers).unwrap();
    assert_eq!((status.code(), status.message()), (tonic::Code::DataLoss, "the end"));
    stage.stop().await;
}

#[tokio::test]
async fn a_page_meets_the_same_door() {
    let stage = Stage::set().await;
    let forged = TestWorld::at(noon()).await.token("hq", PROVINCE);
    let answer = Client::new()
        .post(format!("http://{}/{GET_REGION}", stage.grpc))
        .header("content-type", "application/grpc-web")
        .header("authorization", format!("Bearer {forged}"))
        .body(get(COUNTY));
    let status = Status::from_header_map(answer.send().await.unwrap().headers()).unwrap();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    let answer = post(&stage, "village", IMPORT, "application/grpc-web", Vec::new()).await;
    assert_eq!(Status::from_header_map(answer.headers()).unwrap().code(), tonic::Code::PermissionDenied);
    assert!(stage.pairing.seen.lock().unwrap().get("authorization").is_none(), "it came through");
    stage.stop().await;
}

#[tokio::test]
async fn grpc_web_comes_in_base64_as_well() {
    let stage = Stage::set().await;
    let body = BASE64_STANDARD.encode(get(COUNTY)).into_bytes();
    let answer = post(&stage, "hq", GET_REGION, "application/grpc-web-text", body).await;
    let (messages, trailers) = unframe(&from_base64(&answer.text().await.unwrap()));
    assert_eq!(GetRegionResponse::decode(messages[0].as_slice()).unwrap().region.unwrap().name, "阳山县");
    assert_eq!(trailers["grpc-status"], "0");
    stage.stop().await;
}

/// `accept` as libraries that are no browser's send it.
#[tokio::test]
async fn errors_in_base64_are_of_the_form_that_was_asked() {
    let stage = Stage::set().await;
    let token = stage.world.token("hq", PROVINCE);
    let unknown = BASE64_STANDARD.encode(get(UNKNOWN_REGION));
    let known = BASE64_STANDARD.encode(get(COUNTY));
    for (body, token, code) in [
        (unknown.as_str(), token.as_str(), tonic::Code::NotFound),
        (&known, "", tonic::Code::Unauthenticated),
        ("!!!!", &token, tonic::Code::InvalidArgument),
        (&known[..known.len() - 1], &token, tonic::Code::InvalidArgument),
    ] {
        for form in ["application/grpc-web-text", "application/grpc-web-text+proto"] {
            let answer = Client::new()
                .post(format!("http://{}/{GET_REGION}", stage.grpc))
                .header("content-type", form)
                .header("accept", "*/*")
                .header("authorization", format!("Bearer {token}"))
                .body(body.to_owned());
            let answer = answer.send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], form);
            let status = Status::from_header_map(answer.headers()).unwrap();
            assert_eq!(status.code(), code, "{body}: {status}");
            assert!(status.get_details_error_info().is_some(), "{status}");
            assert!(answer.bytes().await.unwrap().is_empty());
        }
    }
    // After the first message, too.
    let edition = RegionEdition {
        request_id: uuid::Uuid::new_v4().to_string(),
        effective_from: Some(noon().date_naive().into()),
        ..RegionEdition::default()
    };
    let import = frame(&ImportRegionsRequest { part: Some(Part::Edition(edition)) });
    let import = BASE64_STANDARD.encode(import).into_bytes();
    let answer = post(&stage, "operator", IMPORT, "application/grpc-web-text", import).await;
    assert_eq!(answer.headers()["content-type"], "application/grpc-web-text");
    let (messages, trailers) = unframe(&from_base64(&answer.text().await.unwrap()));
    assert_eq!((messages.len(), Status::from_header_map(&trailers).unwrap().code()), (1, tonic::Code::DataLoss));
    stage.stop().await;
}

/// Of a service behind the gateway, and of every server.
#[tokio::test]
async fn a_page_that_sends_no_message_is_told_so() {
    let stage = Stage::set().await;
    for method in [GET_REGION, "grpc.health.v1.Health/Check"] {
        for form in ["application/grpc-web+proto", "application/grpc-web-text"] {
            let answer = post(&stage, "hq", method, form, Vec::new()).await;
            let status = Status::from_header_map(answer.headers()).unwrap();
            let reason = status.get_details_error_info().map(|info| info.reason);
            assert_eq!((status.code(), reason.as_deref()), (tonic::Code::InvalidArgument, Some("MESSAGE_MALFORMED")));
        }
    }
    stage.stop().await;
}

/// Whichever of us notices first that the time is over.
#[tokio::test]
async fn a_page_whose_time_is_over_is_told_so_in_its_form() {
    let stage = Stage::set().await;
    let url = format!("http://{}/tongxin.pairing.v1.PairingService/ListRegions", stage.grpc);
    for time in ["0n", "1u", "1m", "3m"].repeat(10) {
        let answer = Client::new()
            .post(&url)
            .header("content-type", "application/grpc-web+proto")
            .header("grpc-timeout", time)
            .header("authorization", format!("Bearer {}", stage.world.token("hq", PROVINCE)))
            .body(get(COUNTY));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto", "{time}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{time}: {status}");
        assert_eq!(status.get_details_error_info().unwrap().reason, "DEADLINE_EXCEEDED");
    }
    stage.stop().await;
}

/// What a browser asks before it lets a page call.
async fn preflight(stage: &Stage, origin: &str) -> Response {
    let request = Client::new()
        .request(Method::OPTIONS, format!("http://{}/{GET_REGION}", stage.grpc))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-grpc-web,connect-protocol-version");
    request.send().await.unwrap()
}

#[tokio::test]
async fn browsers_are_told_which_pages_may_call() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let board = BOARD.to_owned().try_into().unwrap();
    let stage = Stage::with(world, nats, pairing, |config| config.cors_origins = vec![board]).await;

    let allowed = preflight(&stage, BOARD).await;
    assert_eq!(allowed.status(), StatusCode::OK);
    assert_eq!(allowed.headers()["access-control-allow-origin"], BOARD);
    let headers = allowed.headers()["access-control-allow-headers"].to_str().unwrap();
    for header in ["authorization", "x-grpc-web", "connect-protocol-version", "connect-timeout-ms", "content-encoding"]
    {
        assert!(headers.split(',').any(|allowed| allowed.trim() == header), "{header}: {headers}");
    }
    let stranger = preflight(&stage, "https://elsewhere.example.com").await;
    assert!(stranger.headers().get("access-control-allow-origin").is_none());

    let answer = Client::new().post(format!("http://{}/{GET_REGION}", stage.grpc)).header("origin", BOARD);
    let answer = answer.header("content-type", "application/grpc-web").body(get(COUNTY)).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], BOARD);
    // Without this the page could not read the error that it gets for having no token.
    assert!(answer.headers()["access-control-expose-headers"].to_str().unwrap().contains("grpc-status"));
    assert_eq!(answer.headers()["grpc-status"], "16");
    stage.stop().await;
}

#[tokio::test]
async fn no_page_may_call_unless_it_is_said() {
    let stage = Stage::set().await;
    for origin in [BOARD, "null"] {
        let answer = preflight(&stage, origin).await;
        let told = answer.headers().keys().find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(told, None, "{origin}");
    }
    stage.stop().await;
}
