//! Authentication and authorization at the door.

use prost_reflect::{
    DescriptorPool,
    prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto},
};
use tongxin_proto::POOL;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha,
};

use super::*;
use tongxin_platform::access::{MethodPermissions, PermissionMissing};

#[tokio::test]
async fn a_good_token_comes_in() {
    let served = Served::start(GrpcConfig::default()).await;
    for scheme in ["Bearer", "bearer"] {
        served.log.allowed.notify_one();
        let token = served.world.token("operator", "441823000000");
        let head = served.head(Some(&format!("{scheme} {token}"))).await.unwrap();
        assert_eq!(head.hash, b"tongxin-local|operator@441823000000");
    }
}

#[tokio::test]
async fn without_a_good_token_nobody_comes_in() {
    let served = Served::start(GrpcConfig::default()).await;
    let good = served.world.token("operator", "441823000000");
    for (authorization, reason) in [
        (None, "TOKEN_MISSING"),
        (Some(String::new()), "TOKEN_MISSING"),
        (Some(good.clone()), "TOKEN_MISSING"),
        (Some(format!("Basic {good}")), "TOKEN_MISSING"),
        (Some("Bearer".to_owned()), "TOKEN_MISSING"),
        (Some("Bearer ".to_owned()), "TOKEN_INVALID"),
        (Some("Bearer a.b.c".to_owned()), "TOKEN_INVALID"),
        (Some(format!("Bearer {good}x")), "TOKEN_INVALID"),
    ] {
        let refused = served.head(authorization.as_deref()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unauthenticated, reason.to_owned()), "{authorization:?}");
    }
    served.world.clock.set(noon() + chrono::TimeDelta::hours(2));
    let refused = served.head(Some(&format!("Bearer {good}"))).await.unwrap_err();
    assert_eq!(refusal(&refused), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()));
    assert_eq!(refused.message(), "the token is not valid", "callers learn no more than that");
    assert_eq!(served.log.arrived.available_permits(), 0, "a request came to the service");
}

#[tokio::test]
async fn a_method_needs_its_permission() {
    let served = Served::start(GrpcConfig::default()).await;
    for role in ["hq", "county", "village", "nobody"] {
        let refused = served.head(Some(&served.bearer(role))).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()), "{role}");
        assert_eq!(refused.message(), "needs the permission log.event.read");
    }
    assert_eq!(served.log.arrived.available_permits(), 0, "a request came to the service");
}

#[tokio::test]
async fn a_server_of_unguarded_methods_does_not_bind() {
    let world = TestWorld::at(noon()).await;
    let access = Arc::clone(&world.shared.access);
    let bound = Server::bind(
        GrpcConfig::default(),
        access,
        (&tongxin_proto::PRODUCT, &["grpc.health.v1.Health"]),
        Routes::default(),
    )
    .await;
    let missing = PermissionMissing::Service("grpc.health.v1.Health".to_owned());
    assert!(matches!(bound.err(), Some(ServerError::Permission(error)) if error == missing));

    let mut pool: DescriptorPool = POOL.clone();
    let method = MethodDescriptorProto {
        name: Some("Open".to_owned()),
        input_type: Some(".tongxin.log.v1.GetHeadRequest".to_owned()),
        output_type: Some(".tongxin.log.v1.GetHeadResponse".to_owned()),
        ..MethodDescriptorProto::default()
    };
    let service = ServiceDescriptorProto { name: Some("OpenService".to_owned()), method: vec![method], options: None };
    let file = FileDescriptorProto {
        name: Some("open.proto".to_owned()),
        package: Some("tongxin.open.v1".to_owned()),
        dependency: vec!["tongxin/log/v1/log_service.proto".to_owned()],
        service: vec![service],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    pool.add_file_descriptor_proto(file).unwrap();
    let unguarded = MethodPermissions::of_services(&pool, &["tongxin.open.v1.OpenService"]).unwrap_err();
    assert_eq!(unguarded, PermissionMissing::Method("tongxin.open.v1.OpenService.Open".to_owned()));
}

#[tokio::test]
async fn every_method_of_the_contract_names_its_permission() {
    let services: Vec<_> = POOL.services().map(|service| service.full_name().to_owned()).collect();
    let services: Vec<_> = services.iter().map(String::as_str).collect();
    MethodPermissions::of_services(&POOL, &services).unwrap();
}

#[tokio::test]
async fn health_is_told_to_anyone_and_ends_before_the_server_does() {
    let served = Served::start(GrpcConfig::default()).await;
    let mut client = HealthClient::new(served.channel.clone());
    for service in ["", SERVICE_NAME] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let mut watched = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    served.stop.cancel();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_is_open_and_names_the_services() {
    let served = Served::start(GrpcConfig::default()).await;
    let mut client = ServerReflectionClient::new(served.channel.clone());
    let list = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == SERVICE_NAME), "{services:?}");
}

#[tokio::test]
async fn reflection_answers_older_clients_too() {
    let served = Served::start(GrpcConfig::default()).await;
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(served.channel.clone());
    let list = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap().into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap().unwrap());
    assert!(answer.contains(SERVICE_NAME), "{answer}");
}

#[tokio::test]
async fn two_tokens_are_none() {
    let served = Served::start(GrpcConfig::default()).await;
    let (one, other) = (served.bearer("operator"), served.bearer("hq"));
    for second in [&one, &other, &"Bearer".to_owned()] {
        let mut request = Request::new(GetHeadRequest {});
        for text in [&one, second] {
            request.metadata_mut().append("authorization", text.parse().unwrap());
        }
        let refused = served.client().get_head(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()), "{second}");
    }
    assert_eq!(served.log.arrived.available_permits(), 0, "a request came to the service");
}

/// Everything runs on one thread, whose log lines are captured.
#[tokio::test]
async fn callers_without_a_good_token_write_next_to_nothing_into_the_log() {
    let lines = Lines::from(tracing::Level::INFO);
    let served = Served::start(GrpcConfig::default()).await;
    let id_number = "11010519491231002X";
    for number in 0..100 {
        let long = format!("{id_number}{number}{}", "x".repeat(2_000));
        for path in [format!("/{long}/A"), format!("/grpc.health.v1.Health/{long}"), format!("/{SERVICE_NAME}/{long}")]
        {
            let mut request = Request::new(GetHeadRequest {});
            request.metadata_mut().insert("authorization", format!("Bearer {long}").parse().unwrap());
            let path = http::uri::PathAndQuery::try_from(path).unwrap();
            let mut client = tonic::client::Grpc::new(served.channel.clone());
            client.ready().await.unwrap();
            let codec = tonic_prost::ProstCodec::<GetHeadRequest, GetHeadResponse>::default();
            let refused = client.unary(request, path, codec).await.unwrap_err();
            assert_eq!(refusal(&refused).0, Code::Unauthenticated);
        }
    }
    let text = lines.text();
    assert!(text.contains("tokens were refused"), "{text}");
    assert!(!text.contains(id_number) && text.len() < 2_000, "{} bytes: {text}", text.len());
}

#[tokio::test]
async fn whoever_sends_no_token_or_several_or_something_else_is_in_the_log() {
    let lines = Lines::from(tracing::Level::INFO);
    let served = Served::start(GrpcConfig::default()).await;
    let bearer = served.bearer("operator");
    for (sent, told, reason) in [
        (&[][..], "TOKEN_MISSING", "TOKEN_MISSING"),
        (&["Basic dXNlcjpzZWNyZXQ="], "TOKEN_MISSING", "SCHEME_NOT_BEARER"),
        (&["dXNlcjpzZWNyZXQ="], "TOKEN_MISSING", "SCHEME_NOT_BEARER"),
        (&[&bearer, &bearer], "TOKEN_INVALID", "TOKENS_SEVERAL"),
    ] {
        let mut request = Request::new(GetHeadRequest {});
        for text in sent {
            request.metadata_mut().append("authorization", text.parse().unwrap());
        }
        let refused = served.client().get_head(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unauthenticated, told.to_owned()), "{sent:?}");
        assert!(lines.text().contains(&format!("reason=\"{reason}\"")), "{sent:?}: {}", lines.text());
    }
    assert!(!lines.text().contains("dXNlcjpzZWNyZXQ"), "{}", lines.text());
}

#[tokio::test]
async fn a_method_that_is_not_there_and_a_message_that_did_not_come_have_their_reasons() {
    let served = Served::start(GrpcConfig::default()).await;
    let call = async |method: &str, messages: Vec<GetHeadRequest>| {
        let mut request = Request::new(stream::iter(messages));
        request.metadata_mut().insert("authorization", served.bearer("operator").parse().unwrap());
        let mut client = tonic::client::Grpc::new(served.channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<GetHeadRequest, GetHeadResponse>::default();
        let path = http::uri::PathAndQuery::try_from(format!("/{SERVICE_NAME}/{method}")).unwrap();
        refusal(&client.client_streaming(request, path, codec).await.unwrap_err())
    };
    assert_eq!(call("GetTail", vec![GetHeadRequest {}]).await, (Code::Unimplemented, "METHOD_UNKNOWN".to_owned()));
    assert_eq!(call("GetHead", Vec::new()).await, (Code::InvalidArgument, "MESSAGE_MALFORMED".to_owned()));
}

/// The response to a body that is no message; tonic's clients never send one.
async fn refused(served: &Served, path: &str, body: &'static [u8]) -> Status {
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", served.bearer("operator"))
        .body(tonic::body::Body::new(http_body_util::Full::from(body)))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(served.channel.clone(), request).await.unwrap();
    Status::from_header_map(answer.headers()).expect("an error at once")
}

#[tokio::test]
async fn a_body_that_is_no_message_and_a_method_that_is_none_have_their_reasons() {
    let served = Served::start(GrpcConfig::default()).await;
    for method in ["GetHead", "ReadEvents"] {
        for body in [&b""[..], b"\0\0", b"\0\0\0\0\x09x", b"\x01\0\0\0\0", b"\x07\0\0\0\0"] {
            let refused = refused(&served, &format!("/{SERVICE_NAME}/{method}"), body).await;
            assert_eq!(refusal(&refused), (Code::InvalidArgument, "MESSAGE_MALFORMED".to_owned()), "{body:?}");
        }
    }
    for path in [format!("/{SERVICE_NAME}/Unknown"), "/grpc.health.v1.Health/Unknown".to_owned(), "/x".to_owned()] {
        let refused = refused(&served, &path, b"\0\0\0\0\0").await;
        assert_eq!(refusal(&refused), (Code::Unimplemented, "METHOD_UNKNOWN".to_owned()), "{path}");
    }
    assert_eq!(served.log.arrived.available_permits(), 0, "a request came to the service");
}
