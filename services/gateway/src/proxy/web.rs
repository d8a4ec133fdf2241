//! gRPC-Web to gRPC and back.

use std::convert::Infallible;

use http::{
    HeaderValue, Request, Response,
    header::{ACCEPT, CONTENT_TYPE},
};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use tonic::{Status, body::Body};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt as _};

use super::{fault::Fault, media_type::media_type, rest::Rest};
use crate::proxy::EdgeRefused;

/// The forms of gRPC-Web: binary, and the same in base64.
const FORMS: [&str; 4] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

/// The form that goes by a name.
pub(super) fn form(media_type: &str) -> Option<&'static str> {
    FORMS.into_iter().find(|form| *form == media_type)
}

/// Asks in gRPC, and answers in the form that is accepted, or else in that of the question.
pub(super) async fn call<S>(inner: S, request: Request<Body>, asked: &'static str) -> Result<Response<Body>, Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let (mut request, rest) = Rest::of(request);
    let wanted = accepted(request.headers().get(ACCEPT)).unwrap_or(asked);
    // What is behind knows the names without parameters only, and answers in binary whoever accepts anything.
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(asked));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(wanted));
    let mut answer = GrpcWebLayer::new().layer(inner.map_request(unpacked)).oneshot(request).await?;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(wanted));
    if answer.headers().contains_key("grpc-status") {
        rest.read().await;
    }
    Ok(answer)
}

/// The answer that is an error.
pub(super) fn refused(accept: Option<&HeaderValue>, asked: &'static str, status: &Status) -> Response<Body> {
    let mut answer = status.clone().into_http();
    let wanted = accepted(accept).unwrap_or(asked);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(wanted));
    answer
}

fn accepted(accept: Option<&HeaderValue>) -> Option<&'static str> {
    form(&media_type(accept?))
}

/// What came out of base64 has fewer bytes than the body says, and whoever passes it on would promise too many. What is none broke
/// off for that reason.
fn unpacked(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let fault = Fault::default();
    parts.extensions.insert(fault.clone());
    let body = body.map_err(move |status| {
        let broken = Status::from(EdgeRefused::BodyBroken(status));
        fault.is(broken.clone());
        broken
    });
    Request::from_parts(parts, Body::new(StreamBody::new(BodyStream::new(body))))
}
