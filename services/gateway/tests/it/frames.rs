//! Nothing that a caller sends ends the connections that others share.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::Client;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{iter, wrappers::ReceiverStream};
use tongxin_proto::pairing::v1::{
    ImportRegionsRequest, ImportRegionsResponse, RegionEdition, import_regions_request::Part,
    pairing_service_client::PairingServiceClient,
};
use tonic::{Streaming, body::Body};
use tower::ServiceExt as _;

use crate::support::{CITY, COUNTY, PROVINCE, Stage, TOWN, noon};

/// Nobody answers it, nor reads what is sent to it.
const UNREAD: &str = "tongxin.pairing.v1.PairingService/BatchEstablishPairings";

const SOON: Duration = Duration::from_secs(20);

/// A stream of somebody else, each of whose messages is answered.
struct Other {
    send: mpsc::Sender<ImportRegionsRequest>,
    answers: Streaming<ImportRegionsResponse>,
    sent: i64,
}

impl Other {
    async fn start(stage: &Stage) -> Self {
        let (send, messages) = mpsc::channel(1);
        let request = stage.request("operator", PROVINCE, ReceiverStream::new(messages));
        let answers = PairingServiceClient::new(stage.channel()).import_regions(request).await.unwrap().into_inner();
        Self { send, answers, sent: 0 }
    }

    async fn goes_on(&mut self, after: &str) {
        let edition = RegionEdition {
            request_id: uuid::Uuid::new_v4().to_string(),
            effective_from: Some(noon().date_naive().into()),
            ..RegionEdition::default()
        };
        self.send.send(ImportRegionsRequest { part: Some(Part::Edition(edition)) }).await.unwrap();
        self.sent += 1;
        let answer = timeout(SOON, self.answers.message()).await.unwrap();
        let answer = answer.unwrap_or_else(|status| panic!("it broke after {after}: {status}"));
        assert_eq!(answer.unwrap().received, self.sent, "after {after}");
    }
}

/// Of each of the two connections for streams.
async fn others(stage: &Stage) -> [Other; 2] {
    [Other::start(stage).await, Other::start(stage).await]
}

fn whole(body: impl Into<Bytes>) -> Vec<Bytes> {
    vec![body.into()]
}

/// Sends the pieces of a body by a connection of its own, and gives up after two seconds.
async fn send(stage: &Stage, region: &str, form: &str, pieces: Vec<Bytes>) {
    let frames = StreamBody::new(iter(pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(piece)))));
    let request = http::Request::post(format!("http://{}/{UNREAD}", stage.grpc))
        .header("content-type", form)
        .header("te", "trailers")
        .header("authorization", format!("Bearer {}", stage.world.token("hq", region)))
        .body(Body::new(frames))
        .unwrap();
    let _ = timeout(Duration::from_secs(2), stage.channel().oneshot(request)).await;
}

#[tokio::test]
async fn streams_of_others_go_on_whatever_the_frames_of_one_are() {
    let stage = Stage::set().await;
    let mut others = others(&stage).await;
    let message = Bytes::from_static(b"\0\0\0\0\x02\x12\0");
    let json = || Bytes::from_static(b"\0\0\0\0\x0b{\"rows\":{}}");
    let array = format!("[{}]", vec![r#"{"rows":{}}"#; 5_000].join(","));
    for (what, form, pieces) in [
        ("an array of many", "application/json", whole(array)),
        ("envelopes in JSON", "application/connect+json", whole(json().repeat(9_000))),
        ("envelopes in protobuf", "application/connect+proto", whole(message.repeat(9_000))),
        ("small frames in gRPC-Web", "application/grpc-web", vec![message.clone(); 9_000]),
        ("small frames in gRPC", "application/grpc", vec![message.clone(); 9_000]),
        ("empty frames", "application/grpc", vec![Bytes::new(); 200]),
    ] {
        tokio::join!(
            send(&stage, PROVINCE, form, pieces.clone()),
            send(&stage, CITY, form, pieces.clone()),
            send(&stage, COUNTY, form, pieces.clone()),
            send(&stage, TOWN, form, pieces),
        );
        for other in &mut others {
            other.goes_on(what).await;
        }
    }
    drop(others);
    stage.stop().await;
}

#[tokio::test]
async fn an_array_of_too_many_messages_is_refused_with_a_sentence() {
    let stage = Stage::set().await;
    let refused = Client::new()
        .post(format!("http://{}/{UNREAD}", stage.grpc))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", stage.world.token("hq", PROVINCE)))
        .body(format!("[{}]", vec![r#"{"rows":{}}"#; 20_000].join(",")))
        .send();
    let refused = timeout(SOON, refused).await.unwrap().unwrap();
    assert_eq!(refused.status(), 400);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("TOO_MANY_MESSAGES") && refused.contains("more than 5000 messages"), "{refused}");
    stage.stop().await;
}
