//! Where logs and metrics go.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    metrics_service_server::{MetricsService, MetricsServiceServer},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};
use tracing_subscriber::fmt::MakeWriter as _;

use super::*;

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
