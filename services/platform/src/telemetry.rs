//! Logs, traces and metrics of a program.

mod quiet;

use std::{collections::HashMap, io, path::PathBuf, sync::Mutex, time::Duration};

use http::HeaderMap;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use prometheus::{Encoder as _, Registry, TextEncoder};
use serde::{Deserialize, Serialize};
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{LevelFilter, Targets},
    fmt::writer::BoxMakeWriter,
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

pub(crate) use self::quiet::Quiet;
use crate::{log_file::LogFile, secret::Address};

/// Maximum number of events of a batch that are inspected for links: an exporter drops more than 128 of a span.
const LINKS: usize = 128;

/// Destinations of telemetry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Log directives such as `info,tongxin_platform=debug`.
    pub log: String,
    /// One JSON object a line, or text for people.
    pub log_format: LogFormat,
    /// File to append log lines to; standard error without it.
    pub log_file: Option<PathBuf>,
    /// Size at which the log file is full, in bytes: it is renamed to `<file>.1`, which replaces the previous one, and
    /// begins again.
    pub log_file_bytes: u64,
    /// OTLP/gRPC address for traces and metrics, for example `http://collector:4317`.
    pub otlp_endpoint: Option<Address>,
    /// Share of traces that are sampled, 0 to 1; a caller's decision is respected.
    pub sample_ratio: f64,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Json,
            log_file: None,
            log_file_bytes: 16 << 20,
            otlp_endpoint: None,
            sample_ratio: 1.0,
        }
    }
}

/// Why telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log directives cannot be read.
    #[error("the setting telemetry.log cannot be read")]
    Log(#[from] tracing_subscriber::filter::ParseError),
    /// The log file cannot be written.
    #[error("cannot write the log file {0}: choose another with telemetry.log_file")]
    LogFile(PathBuf, #[source] io::Error),
    /// The OTLP address cannot be used.
    #[error("the setting telemetry.otlp_endpoint cannot be used")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Metrics cannot be set up.
    #[error("metrics cannot be set up")]
    Metrics(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// A global subscriber was set before.
    #[error("telemetry was set up before")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps telemetry going; flushes when it is dropped, so drop it last.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: SdkMeterProvider,
    registry: Registry,
}

/// Sets up logs, traces and metrics for the whole process.
///
/// # Errors
/// If a setting cannot be used, or telemetry was set up before.
pub fn init(program: &'static str, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let resource = Resource::builder().with_service_name(program).build();
    let registry = Registry::new();
    let mut traces = None;
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint.expose()).build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(sampler)
            .with_batch_exporter(exporter)
            .build();
        traces = Some(provider);
    }
    let metrics = meters(config, resource, &registry)?;
    global::set_meter_provider(metrics.clone());

    let spans = traces.as_ref().map(|provider| spans_to(provider.tracer(program)));
    tracing_subscriber::registry().with(lines(config)?).with(spans).try_init()?;
    Ok(Telemetry { traces, metrics, registry })
}

/// Exports metrics to a registry, and to the collector if there is one.
fn meters(
    config: &TelemetryConfig,
    resource: Resource,
    registry: &Registry,
) -> Result<SdkMeterProvider, TelemetryError> {
    let prometheus = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let mut meters = SdkMeterProvider::builder().with_resource(resource).with_reader(prometheus);
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter =
            opentelemetry_otlp::MetricExporter::builder().with_tonic().with_endpoint(endpoint.expose()).build()?;
        meters = meters.with_reader(PeriodicReader::builder(exporter).build());
    }
    Ok(meters.build())
}

/// The layer that writes log lines.
fn lines<S>(config: &TelemetryConfig) -> Result<Box<dyn tracing_subscriber::Layer<S> + Send + Sync>, TelemetryError>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let filter: EnvFilter = config.log.parse()?;
    let lines = tracing_subscriber::fmt::layer().with_ansi(config.log_file.is_none()).with_writer(writer(config)?);
    Ok(match config.log_format {
        // The current span is the last of the list.
        LogFormat::Json => lines.json().with_current_span(false).with_filter(filter).boxed(),
        LogFormat::Text => lines.with_target(false).with_filter(filter).boxed(),
    })
}

/// Exports our own spans only: those of h2 and tonic would bury them.
#[must_use]
pub fn spans_to<S>(tracer: SdkTracer) -> impl tracing_subscriber::Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let ours = Targets::new().with_target("tongxin", LevelFilter::INFO);
    tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false).with_filter(ours)
}

fn writer(config: &TelemetryConfig) -> Result<BoxMakeWriter, TelemetryError> {
    let Some(path) = &config.log_file else { return Ok(BoxMakeWriter::new(io::stderr)) };
    let file = LogFile::open(path, config.log_file_bytes);
    let file = file.map_err(|error| TelemetryError::LogFile(path.clone(), error))?;
    Ok(BoxMakeWriter::new(Mutex::new(file)))
}

impl Telemetry {
    /// The registry that `/metrics` shows.
    #[must_use]
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = &self.traces {
            let _ = traces.shutdown_with_timeout(Duration::from_secs(2));
        }
        let _ = self.metrics.shutdown_with_timeout(Duration::from_secs(2));
    }
}

/// The metrics of a registry in Prometheus' text format.
#[must_use]
pub fn render(registry: &Registry) -> String {
    let mut text = Vec::new();
    // Writing to memory fails only for a family without metrics, which is skipped.
    let _ = TextEncoder::new().encode(&registry.gather(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Rate, errors and duration of each RPC.
#[derive(Debug)]
pub struct RpcMetrics {
    requests: Counter<u64>,
    seconds: Histogram<f64>,
}

impl RpcMetrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("tongxin");
        Self {
            requests: meter
                .u64_counter("tongxin_rpc_requests")
                .with_description("Requests by method and gRPC code")
                .build(),
            seconds: meter
                .f64_histogram("tongxin_rpc_duration_seconds")
                .with_description("Time from a request's head to its answer, of one that streams to its end")
                .with_boundaries(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0])
                .build(),
        }
    }

    pub(crate) fn record(&self, method: &str, code: Code, took: Duration) {
        let method = KeyValue::new("method", method.to_owned());
        self.seconds.record(took.as_secs_f64(), std::slice::from_ref(&method));
        self.requests.add(1, &[method, KeyValue::new("code", format!("{code:?}"))]);
    }
}

/// The span of a request, named for its method or "unknown"; a child of the caller's span if it sent one.
pub(crate) fn rpc_span(method: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!("rpc", otel.name = method, otel.kind = "server", rpc.method = method);
    if headers.contains_key("traceparent") {
        // Fails only without a subscriber that records spans.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
    span
}

/// The span of handling events, linked to the spans that caused them.
pub(crate) fn follow_span<'parent>(name: &'static str, trace_parents: impl Iterator<Item = &'parent str>) -> Span {
    use opentelemetry::trace::TraceContextExt as _;

    let span = tracing::info_span!("consume", otel.name = name, otel.kind = "consumer");
    // Events with the same cause are adjacent.
    let mut linked = "";
    for trace_parent in trace_parents.take(LINKS) {
        if !trace_parent.is_empty() && trace_parent != linked {
            let carrier = HashMap::from([("traceparent".to_owned(), trace_parent.to_owned())]);
            let cause = TraceContextPropagator::new().extract(&carrier);
            span.add_link(cause.span().span_context().clone());
            linked = trace_parent;
        }
    }
    span
}

struct Headers<'headers>(&'headers HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
