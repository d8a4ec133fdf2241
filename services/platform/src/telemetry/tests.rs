//! One trace covers a request and what follows from it in other services.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use opentelemetry::{
    metrics::MeterProvider as _,
    trace::{SpanContext, SpanKind, TraceContextExt as _},
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    metrics_service_server::{MetricsService, MetricsServiceServer},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongxin_proto::log::v1::{
    GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    log_service_client::LogServiceClient,
    log_service_server::{LogService, LogServiceServer, SERVICE_NAME},
};
use tonic::{Request, Response, Status, service::Routes, transport::server::TcpIncoming};
use tracing_subscriber::fmt::MakeWriter as _;

use super::*;
use crate::{
    grpc::{GrpcConfig, Server, channel},
    log::stream_name,
    request::Writer,
    sample::{CountResponse, Follower, SOURCE, Source, count, new_call},
    testing::eventually,
};

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
    let access = Arc::clone(&source.world.surroundings.access);
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
        .fetch_one(&mut crate::sample::owner(&source.database).await)
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

/// A collector that records names of metrics and their resources.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<String>>>);

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        for of_program in request.into_inner().resource_metrics {
            let resource = format!("{:?}", of_program.resource);
            let program = if resource.contains("tongxin-test") { "tongxin-test" } else { "unknown" };
            let metrics = of_program.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            self.0.lock().unwrap().extend(metrics.map(|metric| format!("{program} {}", metric.name)));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_come_to_the_collector_and_into_the_registry() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(MetricsServiceServer::new(collector.clone()));
    let _serving = AbortOnDrop(tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener))));

    let config = TelemetryConfig { otlp_endpoint: Some(endpoint.into()), ..TelemetryConfig::default() };
    let (resource, registry) = (Resource::builder().with_service_name("tongxin-test").build(), Registry::new());
    let meters = meters(&config, resource, &registry).unwrap();
    meters.meter("tongxin").u64_counter("tongxin_wells").build().add(3, &[]);
    assert!(render(&registry).contains("tongxin_wells_total"), "{}", render(&registry));
    // Flushes.
    tokio::task::spawn_blocking(move || meters.shutdown()).await.unwrap().unwrap();
    assert_eq!(*collector.0.lock().unwrap(), ["tongxin-test tongxin_wells"]);
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[test]
fn a_line_of_the_log_is_an_object_with_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tongxin.log");
    let config = TelemetryConfig { log_file: Some(path.clone()), ..TelemetryConfig::default() };
    let subscriber = tracing_subscriber::registry().with(lines(&config).unwrap());
    tracing::subscriber::with_default(subscriber, || {
        let _rpc = tracing::info_span!("rpc", rpc.method = "GetHead").entered();
        tracing::debug!("is not said");
        tracing::warn!(well.id = 7, depth = "deep", "a well ran dry\nat noon");
    });
    let text = std::fs::read_to_string(path).unwrap();
    let [line] = text.lines().collect::<Vec<_>>()[..] else { panic!("not one line: {text}") };
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["level"], &line["target"]), (&"WARN".into(), &module_path!().into()));
    assert_eq!(
        line["fields"],
        serde_json::json!({ "message": "a well ran dry\nat noon", "well.id": 7, "depth": "deep" })
    );
    let spans = serde_json::json!([{ "name": "rpc", "rpc.method": "GetHead" }]);
    assert_eq!((&line["spans"], line.get("span")), (&spans, None), "no span twice");
    let timestamp = line["timestamp"].as_str().unwrap();
    chrono::DateTime::parse_from_rfc3339(timestamp).unwrap();
}

#[test]
fn the_log_file_is_bounded_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tongxin.log");
    let config = TelemetryConfig { log_file: Some(path.clone()), log_file_bytes: 1_000, ..TelemetryConfig::default() };
    let writer = writer(&config).unwrap();
    for _ in 0..1_000 {
        writer.make_writer().write_all(b"a line of a log\n").unwrap();
    }
    let folder = std::fs::read_dir(folder.path()).unwrap();
    let sizes: Vec<_> = folder.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert!(sizes.len() == 2 && sizes.iter().sum::<u64>() <= 2_000, "{sizes:?}");
}
