//! One trace covers a request and what follows from it in other services.

use std::{collections::HashMap, sync::Arc};

use opentelemetry::{
    propagation::TextMapPropagator as _,
    trace::{SpanContext, SpanKind, TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
};
use tokio_util::sync::CancellationToken;
use tongxin_platform::{
    grpc::{GrpcConfig, Server, channel},
    log::stream_name,
    request::Writer,
    telemetry::spans_to,
    testing::eventually,
};
use tongxin_proto::log::v1::{
    GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    log_service_client::LogServiceClient,
    log_service_server::{LogService, LogServiceServer, SERVICE_NAME},
};
use tonic::{Request, Response, Status, service::Routes};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{CountResponse, Follower, SOURCE, Source, count, new_call};

/// As the W3C's recommendation has it.
const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A service that counts wells of a person whose name must stay secret.
struct Counting(Writer<()>);

#[tonic::async_trait]
impl LogService for Counting {
    type ReadEventsStream = futures::stream::Empty<Result<ReadEventsResponse, Status>>;

    async fn get_head(&self, _: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let counted: CountResponse = self.0.execute(new_call(), count("wells of Zhang San", 1)).await.unwrap();
        Ok(Response::new(GetHeadResponse { seq: counted.reached, ..GetHeadResponse::default() }))
    }

    async fn get_hash(&self, _: Request<GetHashRequest>) -> Result<Response<GetHashResponse>, Status> {
        Ok(Response::new(GetHashResponse::default()))
    }

    async fn read_events(&self, _: Request<ReadEventsRequest>) -> Result<Response<Self::ReadEventsStream>, Status> {
        Ok(Response::new(futures::stream::empty()))
    }
}

/// Calls the service with a trace context.
async fn call(source: &Source) {
    let routes = Routes::new(LogServiceServer::new(Counting(source.writer.clone())));
    let access = Arc::clone(&source.world.shared.access);
    let server =
        Server::bind(GrpcConfig::default(), access, (&tongxin_proto::PRODUCT, &[SERVICE_NAME]), routes).await.unwrap();
    let channel = channel(&format!("http://{}", server.address().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(server.run(stop));

    let mut request = Request::new(GetHeadRequest {});
    let bearer = format!("Bearer {}", source.world.token("operator", "441823000000"));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    request.metadata_mut().insert("traceparent", CALLER.parse().unwrap());
    LogServiceClient::new(channel).get_head(request).await.unwrap();
}

fn context_of(trace_parent: &str) -> SpanContext {
    let carrier = HashMap::from([("traceparent".to_owned(), trace_parent.to_owned())]);
    TraceContextPropagator::new().extract(&carrier).span().span_context().clone()
}

/// The trace context of the newest event in the broker.
async fn cause_on_the_wire(source: &Source) -> String {
    let stream = source.jetstream.get_stream(stream_name(SOURCE)).await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    let message = stream.direct_get(last).await.unwrap();
    message.headers.get("traceparent").unwrap().to_string()
}

/// Everything runs on one thread, whose spans are captured.
#[tokio::test]
async fn a_trace_leads_from_the_caller_through_log_and_broker_to_the_projection() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = spans_to(provider.tracer("test"));
    let _spans = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let finished = |kind: SpanKind| {
        let of_kind = move |span: &SpanData| span.span_kind == kind;
        exporter.get_finished_spans().unwrap().into_iter().filter(of_kind).collect::<Vec<_>>()
    };

    call(&source).await;
    follower.settle(&source).await;
    eventually("the projection's span has ended", || async { !finished(SpanKind::Consumer).is_empty() }).await;

    let caller = context_of(CALLER);
    // The follower's own calls have traces of their own.
    let of_caller = |span: &SpanData| span.span_context.trace_id() == caller.trace_id();
    let rpcs: Vec<_> = finished(SpanKind::Server).into_iter().filter(of_caller).collect();
    let [rpc] = &rpcs[..] else { panic!("not one span of the call: {rpcs:?}") };
    assert_eq!(rpc.parent_span_id, caller.span_id());

    let cause: String = sqlx::query_scalar("SELECT trace_parent FROM event")
        .fetch_one(&mut crate::support::owner(&source.database).await)
        .await
        .unwrap();
    let in_the_log = context_of(&cause);
    assert_eq!(in_the_log.trace_id(), caller.trace_id(), "{cause}");
    assert_eq!(in_the_log.span_id(), rpc.span_context.span_id(), "{cause}");
    source.published(1).await;
    assert_eq!(cause_on_the_wire(&source).await, cause);

    let consumed = finished(SpanKind::Consumer);
    let links: Vec<_> = consumed.iter().flat_map(|span| span.links.iter()).map(|link| &link.span_context).collect();
    assert_eq!(
        links.iter().map(|link| (link.trace_id(), link.span_id())).collect::<Vec<_>>(),
        [(caller.trace_id(), rpc.span_context.span_id())]
    );
    let told = format!("{:?}", exporter.get_finished_spans().unwrap());
    assert!(!told.contains("Zhang"), "{told}");
    assert!(!told.contains("operator"), "{told}");
}
