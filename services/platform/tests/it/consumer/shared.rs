//! Events of a package that several services use: each publishes under its own subjects.

use async_nats::jetstream::message::StreamMessage;
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tongxin_proto::register::v1::{Region, RegionsRecorded};

use super::*;
use crate::support::{CountResponse, Tell, VILLAGE, database, new_call, noon, region};
use tongxin_platform::{
    consumer::Envelope,
    db::{self, DbConfig},
    log::{NewEvent, Relay, RelayWake},
    request::{RequestKeys, Writer},
};

/// An event of a package that services share, which says by whom it was stated.
fn recorded(service: &str) -> RegionsRecorded {
    RegionsRecorded { regions: vec![Region { name: service.to_owned(), ..Region::default() }] }
}

/// The first message of a service's stream, once it has one.
async fn first_message(source: &Source, service: &str) -> StreamMessage {
    eventually("the broker has an event of the service", || async {
        let stream = source.jetstream.get_stream(stream_name(service)).await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 1)
    })
    .await;
    let stream = source.jetstream.get_stream(stream_name(service)).await.unwrap();
    stream.get_raw_message(1).await.unwrap()
}

#[tokio::test]
async fn two_services_publish_events_of_one_package_and_neither_is_taken_for_the_other() {
    let (source, stop) = (Source::start().await, CancellationToken::new());
    for service in ["first", "second"] {
        let pool = db::connect(&DbConfig::at(&database().await.app_url)).await.unwrap();
        let event = NewEvent::new(("region", VILLAGE), region(VILLAGE), noon().date_naive(), &recorded(service));
        let tell = Tell { tally_id: "roads".to_owned(), event };
        let (clock, keys) = (source.world.clock.clone(), RequestKeys::for_tests());
        let writer = Writer::new(pool.clone(), clock, RelayWake::default(), keys, ());
        writer.execute::<_, CountResponse>(new_call(), tell).await.unwrap();
        let relay = Relay::new(service, pool, source.jetstream.clone(), RelayWake::default());
        tokio::spawn(relay.run(stop.clone()));
    }
    for (service, other) in [("first", "second"), ("second", "first")] {
        let message = first_message(&source, service).await;
        assert_eq!(message.subject.as_str(), format!("tongxin.{service}.tongxin.register.v1.RegionsRecorded"));
        let message = super::message(&message.subject, message.headers, &message.payload);
        let event = Envelope::from_message(service, &message).unwrap();
        assert_eq!(event.payload, recorded(service).encode_to_vec());
        assert_eq!(Envelope::from_message(other, &message), None);
    }
    stop.cancel();
}
