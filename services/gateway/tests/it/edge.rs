//! Calls of other services pass through the gateway as they are.

use std::{collections::BTreeMap, time::Duration};

use tokio_stream::StreamExt as _;
use tongxin_platform::testing::TestWorld;
use tongxin_proto::{
    gateway::v1::{GetScorecardRequest, gateway_service_client::GatewayServiceClient},
    log::v1::{GetHeadRequest, log_service_client::LogServiceClient},
    pairing::v1::{
        GetRegionRequest, ImportRegionsRequest, ListRegionsRequest, RegionEdition, import_regions_request::Part,
        pairing_service_client::PairingServiceClient,
    },
};
use tonic::{Code, Request, metadata::MetadataValue};
use tonic_types::StatusExt as _;

use crate::support::{CITY, COUNTY, FakePairing, PROVINCE, Stage, UNKNOWN_REGION, events::activity, noon, world};

fn region(code: &str) -> GetRegionRequest {
    GetRegionRequest { code: code.to_owned() }
}

#[tokio::test]
async fn a_call_of_another_service_passes_through() {
    let stage = Stage::set().await;
    let mut client = PairingServiceClient::new(stage.channel());
    let mut request = stage.request("hq", PROVINCE, region(COUNTY));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", MetadataValue::from_static(trace));
    request.set_timeout(Duration::from_secs(7));
    let answer = client.get_region(request).await.unwrap().into_inner();
    assert_eq!(answer.region.unwrap().name, "阳山县");
    let seen = stage.pairing.seen.lock().unwrap().clone();
    assert_eq!(seen.get("traceparent").unwrap(), trace);
    assert_eq!(seen.get("grpc-timeout").unwrap(), "7000000u");
    assert!(seen.contains_key("authorization"));

    let status = client.get_region(stage.request("hq", PROVINCE, region(UNKNOWN_REGION))).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such region"));
    assert_eq!(status.get_details_error_info().unwrap().domain, "pairing.tongxin");
    let status = client.get_region(stage.request("hq", PROVINCE, region("44"))).await.unwrap_err();
    assert_eq!(status.get_details_error_info().unwrap().reason, "INVALID_FIELDS");
    stage.stop().await;
}

#[tokio::test]
async fn streams_pass_both_ways_and_end_with_their_status() {
    let stage = Stage::set().await;
    let (send, messages) = tokio::sync::mpsc::channel(1);
    let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
    let request = stage.request("operator", PROVINCE, messages);
    let edition = RegionEdition {
        request_id: uuid::Uuid::new_v4().to_string(),
        effective_from: Some(noon().date_naive().into()),
        ..RegionEdition::default()
    };
    let message = ImportRegionsRequest { part: Some(Part::Edition(edition)) };
    let mut client = PairingServiceClient::new(stage.channel());
    let mut answers = client.import_regions(request).await.unwrap().into_inner();
    for count in 1..=3 {
        send.send(message.clone()).await.unwrap();
        // Each is answered before the next is sent.
        assert_eq!(answers.next().await.unwrap().unwrap().received, count);
    }
    drop(send);
    let end = answers.next().await.unwrap().unwrap_err();
    assert_eq!((end.code(), end.message()), (Code::DataLoss, "the end"));
    stage.stop().await;
}

#[tokio::test]
async fn a_call_is_given_up_at_its_deadline() {
    let stage = Stage::set().await;
    let message = ListRegionsRequest { parent_code: CITY.to_owned(), ..ListRegionsRequest::default() };
    let mut request = stage.request("hq", PROVINCE, message);
    request.set_timeout(Duration::from_millis(300));
    let started = std::time::Instant::now();
    let status = PairingServiceClient::new(stage.channel()).list_regions(request).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
    assert!(started.elapsed() < Duration::from_secs(3));
    stage.stop().await;
}

#[tokio::test]
async fn nobody_passes_without_a_good_token_and_the_permission() {
    let stage = Stage::set().await;
    let mut pairing = PairingServiceClient::new(stage.channel());
    let mut gateway = GatewayServiceClient::new(stage.channel());
    let question = GetScorecardRequest { region_code: CITY.to_owned(), as_of: None };

    let absent = pairing.get_region(region(COUNTY)).await.unwrap_err();
    assert_eq!(absent.code(), Code::Unauthenticated);
    assert_eq!(absent.get_details_error_info().unwrap().reason, "TOKEN_MISSING");
    assert_eq!(gateway.get_scorecard(question.clone()).await.unwrap_err().code(), Code::Unauthenticated);

    // A token of another world: the form is right, the key is not.
    let forged = TestWorld::at(noon()).await.token("hq", PROVINCE);
    let with_forged = |metadata: &mut tonic::metadata::MetadataMap| {
        metadata.insert("authorization", format!("Bearer {forged}").parse().unwrap());
    };
    let mut request = Request::new(region(COUNTY));
    with_forged(request.metadata_mut());
    assert_eq!(pairing.get_region(request).await.unwrap_err().code(), Code::Unauthenticated);
    let mut request = Request::new(question);
    with_forged(request.metadata_mut());
    assert_eq!(gateway.get_scorecard(request).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(stage.pairing.seen.lock().unwrap().get("authorization").is_none(), "it came through");

    let messages = tokio_stream::empty::<ImportRegionsRequest>();
    let request = stage.request("village", "441823107201", messages);
    let status = pairing.import_regions(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    stage.stop().await;
}

#[tokio::test]
async fn each_service_answers_for_its_own_log() {
    let stage = Stage::set().await;
    stage.pairing.state(&activity(CITY, "2025-01-01")).await;
    stage.settle().await;
    let request = stage.request("operator", PROVINCE, GetHeadRequest {});
    let head = LogServiceClient::new(stage.channel()).get_head(request).await.unwrap().into_inner();
    assert_eq!(head.seq, 0, "the gateway states no events");
    stage.stop().await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_and_an_unknown_one_unimplemented() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let nobody = BTreeMap::from([("pairing".to_owned(), "http://127.0.0.1:1".into())]);
    let stage = Stage::with(world, nats, pairing, |config| config.upstreams = nobody).await;

    let mut client = PairingServiceClient::new(stage.channel());
    let status = client.get_region(stage.request("hq", PROVINCE, region(COUNTY))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_error_info().unwrap().reason, "SERVICE_UNAVAILABLE");
    let ready = reqwest::get(format!("http://{}/readyz", stage.admin)).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("pairing: "));

    let mut grpc = tonic::client::Grpc::new(stage.channel());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/tongxin.unknown.v1.UnknownService/Get");
    let codec = tongxin_proto::CheckedCodec::<GetRegionRequest, GetRegionRequest>::default();
    let unknown = grpc.unary(stage.request("hq", PROVINCE, region(COUNTY)), path, codec).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(unknown.get_details_error_info().unwrap().reason, "METHOD_UNKNOWN");
    stage.stop().await;
}
