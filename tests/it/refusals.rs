//! However wrong a request is, its refusal is smaller than every client takes, and nobody else's call ends with it.

use futures::stream;
use prost::Message as _;
use prost_reflect::MethodDescriptor;
use tongxin_proto::{POOL, gateway::v1::GetScorecardRequest};
use tongxin_tests::{raw, wrong};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::{QINGYUAN, Shared, shared};

/// Bytes of a refusal as it is sent.
const MOST: usize = 6 << 10;

/// Bytes of a path.
const LONG_PATH: usize = 20_000;

fn as_sent(status: &Status) -> usize {
    let answer = status.clone().into_http::<()>();
    let length = |name: &str| answer.headers().get(name).map_or(0, tonic::codegen::http::HeaderValue::len);
    length("grpc-message") + length("grpc-status-details-bin")
}

fn methods() -> Vec<MethodDescriptor> {
    let ours = |service: &prost_reflect::ServiceDescriptor| service.full_name().starts_with("tongxin.");
    POOL.services().filter(ours).flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Where a service is called past the gateway; the gateway's own service is called there alone.
fn behind(shared: &Shared, method: &MethodDescriptor) -> Vec<String> {
    let gateway = shared.instance.gateway.clone();
    let name = method.parent_service().full_name().split('.').nth(1).unwrap_or_default().to_owned();
    match shared.instance.services.get(&name) {
        Some(service) => vec![gateway, service.grpc.clone()],
        None => vec![gateway],
    }
}

fn is_named_and_small(status: &Status, what: &str) {
    assert!(as_sent(status) <= MOST, "{what}: {} bytes", as_sent(status));
    assert_ne!(status.code(), Code::Internal, "{what}: {status}");
    // The library that reads it says so without details when it was too large.
    assert!(status.code() == Code::Unimplemented || status.get_details_error_info().is_some(), "{what}: {status}");
}

#[tokio::test]
async fn the_worst_message_of_each_method_is_refused_in_six_kibibytes() {
    let shared = shared().await;
    let (mut refused, mut in_json) = (0, 0);
    let token = std::fs::read_to_string(&shared.instance.token_file).unwrap();
    for method in methods() {
        let path = path(&method);
        for address in behind(shared, &method) {
            let connection = shared.clients.at(&address).connection().unwrap();
            for message in wrong::messages(&method.input()) {
                // After the right first message of a stream, too, rows are what they are: alone they say enough.
                let answered = raw::call(&connection, &path, stream::iter([message.encode_to_vec()])).await;
                let what = format!("{path} at {address}");
                match answered {
                    Err(status) => {
                        is_named_and_small(&status, &what);
                        refused += 1;
                    }
                    Ok(_) => assert_eq!(method.input().fields().len(), 0, "{what} took it"),
                }
            }
        }
        for message in wrong::messages(&method.input()) {
            let body = serde_json::to_vec(&message).unwrap();
            let (_, answer) = raw::post(&shared.instance.gateway, token.trim(), &path, &body).await.unwrap();
            if method.input().fields().len() > 0 {
                assert!(answer.len() <= MOST, "{path} in JSON: {} bytes", answer.len());
                let said: serde_json::Value = serde_json::from_slice(&answer).unwrap();
                assert!(said["code"].is_string(), "{path}: {said}");
                in_json += 1;
            }
        }
    }
    assert!(refused > 100 && in_json > 50, "{refused} refused, {in_json} in JSON");
}

#[tokio::test]
async fn a_path_without_end_is_not_said_again() {
    let shared = shared().await;
    for address in [&shared.instance.gateway, &shared.instance.services["monitoring"].grpc] {
        for path in ["/", "/tongxin.monitoring.v1.HouseholdService/", "/tongxin.unknown.v1.Service/"] {
            let connection = shared.clients.at(address).connection().unwrap();
            let path = format!("{path}{}", "x".repeat(LONG_PATH));
            let status = raw::call(&connection, &path, stream::iter([Vec::new()])).await.unwrap_err();
            assert_eq!(status.code(), Code::Unimplemented, "{status}");
            is_named_and_small(&status, "a long path");
        }
    }
}

#[tokio::test]
async fn calls_beside_a_flood_of_wrong_ones_on_the_same_connection_are_answered() {
    let shared = shared().await;
    let connection = shared.clients.connection().unwrap();
    let good = async {
        let question = GetScorecardRequest { region_code: QINGYUAN.to_owned(), as_of: None }.encode_to_vec();
        for _ in 0..50 {
            let path = "/tongxin.gateway.v1.GatewayService/GetScorecard";
            raw::call(&connection, path, stream::iter([question.clone()])).await.unwrap();
            let path = "/tongxin.monitoring.v1.VillageService/ListQualityRules";
            raw::call(&connection, path, stream::iter([Vec::new()])).await.unwrap();
        }
    };
    let worst = POOL.get_message_by_name("tongxin.monitoring.v1.RegisterHouseholdRequest").unwrap();
    let worst = wrong::messages(&worst).pop().unwrap().encode_to_vec();
    let wrong = async {
        loop {
            let path = "/tongxin.monitoring.v1.HouseholdService/RegisterHousehold";
            let status = raw::call(&connection, path, stream::iter([worst.clone()])).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            assert!(status.message().ends_with(" more"), "{status}");
            let named = status.get_details_bad_request().unwrap().field_violations.len();
            assert!((1..=20).contains(&named), "{named}");
        }
    };
    tokio::select! {
        () = good => {}
        () = wrong => unreachable!("it goes on for ever"),
    }
}
