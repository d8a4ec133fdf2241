//! The outermost layer, which every request and every response passes, whatever protocol it speaks.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Body as _;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{
    GrpcConfig,
    arrival::{Arrival, Patience},
    connections::Peer,
    inward::Inward,
    places::Pot,
    shed::Shed,
    stream,
};

/// Counts request bodies, times out stalled ones, and makes sure that responses are taken.
#[derive(Clone)]
pub(super) struct Threshold {
    bodies: Arc<Pot>,
    shed: Shed,
    patience: Patience,
}

impl Threshold {
    pub(super) fn new(config: &GrpcConfig, shed: Shed) -> Self {
        let patience = Patience {
            stall: Duration::from_secs(config.stall_seconds),
            send: Duration::from_secs(config.send_seconds),
        };
        Self { bodies: Pot::new(config.max_body_bytes), shed, patience }
    }
}

impl<S> Layer<S> for Threshold {
    type Service = Crossed<S>;

    fn layer(&self, inner: S) -> Crossed<S> {
        Crossed { threshold: self.clone(), inner }
    }
}

/// A service behind this layer.
#[derive(Clone)]
pub(super) struct Crossed<S> {
    threshold: Threshold,
    inner: S,
}

impl<S> Service<Request<Body>> for Crossed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The inner service is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Threshold { bodies, shed, patience } = self.threshold.clone();
        let peer = request.extensions().get::<Peer>().cloned();
        let waited_for = peer.as_ref().map(Peer::asked);
        let arrival = Arrival::new(peer, bodies, shed.clone());
        request.extensions_mut().insert(arrival.pace().clone());
        request.extensions_mut().insert(arrival.clone());
        let is_framed = is_framed(request.headers());
        let request = request.map(|body| Body::new(Inward::new(body, arrival.clone(), patience.stall, is_framed)));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            if let Some(waited_for) = waited_for {
                waited_for.answered();
            }
            let Some(held) = arrival.take() else { return Ok(response) };
            if response.body().is_end_stream() {
                return Ok(response);
            }
            Ok(response.map(|body| stream::sent(body, patience, held, shed)))
        })
    }
}

/// Whether the messages of a body are length-prefixed, as in gRPC and in Connect's streams.
fn is_framed(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default().to_ascii_lowercase();
    let is_grpc = content_type.starts_with(b"application/grpc") && !content_type.starts_with(b"application/grpc-web");
    is_grpc || content_type.starts_with(b"application/connect+")
}
