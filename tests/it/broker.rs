//! What somebody does who has the password of a service's user at the broker of `up`.

use std::{fs, path::Path};

use async_nats::{HeaderMap, jetstream};
use prost::{Message as _, Name};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tongxin_platform::{
    broker::{self, BrokerConfig},
    log,
    testing::eventually,
};
use tongxin_proto::{Date, monitoring::v1::CaseOpened, pairing::v1::JointActivityHeld};
use tongxin_tests::{Clients, Instance, Program, output};
use uuid::Uuid;

use crate::{
    data_folder::{holds_an_activity, register_is_imported},
    support::{END_OF_2025, QINGYUAN, VILLAGE, data_folder},
};

/// Logs in as a service, by what lies in the data folder.
async fn as_service(data_dir: &Path, service: &str) -> jetstream::Context {
    let port = fs::read_to_string(data_dir.join("nats.port")).unwrap();
    let config = BrokerConfig {
        url: format!("nats://127.0.0.1:{}", port.trim()).into(),
        user: Some(service.to_owned()),
        password_file: Some(data_dir.join(format!("nats.{service}.password"))),
        ..BrokerConfig::default()
    };
    broker::connect(&config, service).await.unwrap()
}

fn subject<E: Name>(service: &str) -> String {
    log::subject(service, &E::full_name())
}

async fn publish(jetstream: &jetstream::Context, subject: &str, headers: HeaderMap, payload: Vec<u8>) -> bool {
    match jetstream.publish_with_headers(subject.to_owned(), headers, payload.into()).await {
        Ok(published) => published.await.is_ok(),
        Err(_) => false,
    }
}

/// A page of an admin port.
pub async fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

/// Number of pairing's newest event, as `log verify` says.
async fn head(data_dir: &Path) -> i64 {
    let said = output(&["log", "verify", "--service", "pairing", "--json"], data_dir).await.unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    said[0]["events"].as_i64().unwrap()
}

/// An activity that nobody held, as the next event of pairing's log.
fn forged(seq: i64) -> (HeaderMap, Vec<u8>) {
    let activity = JointActivityHeld {
        activity_id: Uuid::now_v7().to_string(),
        held_on: Some(Date { year: 2025, month: 5, day: 1 }),
        region_code: VILLAGE.to_owned(),
        ..JointActivityHeld::default()
    };
    let id = Uuid::now_v7().to_string();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("Nats-Msg-Id", id.as_str()),
        ("ce-specversion", "1.0"),
        ("ce-id", &id),
        ("ce-source", "/tongxin/pairing"),
        ("ce-type", &JointActivityHeld::full_name()),
        ("ce-subject", "activity/1"),
        ("ce-time", "2025-05-01T04:00:00+00:00"),
        ("tx-seq", &seq.to_string()),
        ("tx-epoch", "1"),
        ("tx-version", "1"),
        ("tx-actor", "up"),
        ("tx-region", VILLAGE),
        ("tx-occurred-on", "2025-05-01"),
    ] {
        headers.insert(name, value);
    }
    (headers, activity.encode_to_vec())
}

async fn refused(instance: &Instance) -> Option<u64> {
    let metrics = page(&instance.gateway_admin, "/metrics").await;
    let of_pairing = |line: &&str| {
        line.starts_with("tongxin_broker_messages_refused")
            && line.contains(r#"consumer="gateway""#)
            && line.contains(r#"source="pairing""#)
    };
    metrics.lines().find(of_pairing)?.rsplit(' ').next()?.parse().ok()
}

/// Whether all consumers have subscribed, as their users may.
fn follow_by_the_broker(data_dir: &Path) -> bool {
    let log = fs::read_to_string(data_dir.join("tongxin.log")).unwrap();
    assert!(!log.contains("ermissions"), "something is denied: {log}");
    [("gateway", "pairing"), ("gateway", "monitoring"), ("monitoring", "pairing")].iter().all(|(consumer, source)| {
        let is_it = |line: &str| {
            line.contains("a consumer follows")
                && line.contains(&format!("consumer=\"{consumer}\""))
                && line.contains(&format!("source=\"{source}\""))
        };
        log.lines().any(is_it)
    })
}

async fn activities(clients: &Clients) -> i64 {
    clients.figure(QINGYUAN, "joint_activities", END_OF_2025).await.unwrap_or(-1)
}

#[tokio::test]
async fn whoever_publishes_as_a_service_changes_no_figure_and_stops_none() {
    let folder = data_folder();
    let mut program = Program::start(folder.path(), &[]).unwrap();
    let instance = program.instance().await.unwrap();
    let clients = Clients::of(&instance).unwrap();
    register_is_imported(folder.path()).await;
    holds_an_activity(&clients, 1).await;
    eventually("the true one is counted", || async { activities(&clients).await == 1 }).await;
    eventually("all follow by way of the broker", || async { follow_by_the_broker(folder.path()) }).await;

    let pairing = as_service(folder.path(), "pairing").await;
    for number in 1..=3 {
        let (headers, payload) = forged(head(folder.path()).await + 1);
        assert!(
            publish(&pairing, &subject::<JointActivityHeld>("pairing"), headers, payload).await,
            "it has the password"
        );
        eventually("it is refused", || async { refused(&instance).await == Some(number) }).await;
    }
    assert_eq!(activities(&clients).await, 1);
    assert!(page(&instance.gateway_admin, "/readyz").await.starts_with("HTTP/1.0 200"));

    holds_an_activity(&clients, 2).await;
    eventually("the next true one is counted", || async { activities(&clients).await == 2 }).await;
    assert_eq!(refused(&instance).await, Some(3), "true ones are not refused");
    assert!(page(&instance.gateway_admin, "/readyz").await.starts_with("HTTP/1.0 200"));
    assert!(program.stop().await.unwrap().success());
}

/// The walls between services: each is a user of its own.
#[tokio::test]
async fn a_service_can_do_nothing_at_the_broker_that_is_another_ones() {
    let folder = data_folder();
    let mut program = Program::start(folder.path(), &[]).unwrap();
    program.instance().await.unwrap();
    let [pairing, gateway] = [as_service(folder.path(), "pairing").await, as_service(folder.path(), "gateway").await];
    let (own, foreign) = (subject::<JointActivityHeld>("pairing"), subject::<CaseOpened>("monitoring"));
    assert!(publish(&pairing, &own, HeaderMap::new(), Vec::new()).await);
    let mut heard = pairing.client().subscribe("tongxin.>").await.unwrap();
    let mut answers = pairing.client().subscribe("_INBOX_gateway.>").await.unwrap();
    pairing.client().flush().await.unwrap();

    let consumer = || jetstream::consumer::pull::Config {
        durable_name: Some("gateway-pairing".to_owned()),
        ..jetstream::consumer::pull::Config::default()
    };
    let (by_pairing, by_gateway, purge, message, followed, deleted, stream, own_consumer) = tokio::join!(
        publish(&pairing, &foreign, HeaderMap::new(), Vec::new()),
        publish(&gateway, &foreign, HeaderMap::new(), Vec::new()),
        async { pairing.get_stream_no_info("TONGXIN_MONITORING").await.unwrap().purge().await.is_ok() },
        async { pairing.get_stream_no_info("TONGXIN_MONITORING").await.unwrap().delete_message(1).await.is_ok() },
        async { gateway.get_stream_no_info("TONGXIN_PAIRING").await.unwrap().purge().await.is_ok() },
        async { gateway.delete_stream("TONGXIN_PAIRING").await.is_ok() },
        async {
            let stream = log::stream_config("monitoring");
            pairing.create_or_update_stream(stream).await.is_ok()
        },
        async { pairing.create_consumer_on_stream(consumer(), "TONGXIN_PAIRING").await.is_ok() },
    );
    let done = [by_pairing, by_gateway, purge, message, followed, deleted, stream, own_consumer];
    assert_eq!(done, [false; 8]);
    assert!(publish(&pairing, &own, HeaderMap::new(), Vec::new()).await, "it is all there");
    pairing.client().flush().await.unwrap();
    let nothing = futures::FutureExt::now_or_never;
    assert!(nothing(futures::StreamExt::next(&mut heard)).flatten().is_none(), "it hears what was published");
    assert!(nothing(futures::StreamExt::next(&mut answers)).flatten().is_none(), "it hears answers to others");
    assert!(program.stop().await.unwrap().success());
}
