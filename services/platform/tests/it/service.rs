//! A service is started by its kind and its section of the settings, as the program does it.

use serde_json::{Value, json};
use tongxin_platform::{
    config::Sections,
    db::Migrations,
    service::{Configured, StartError},
    testing::{Database, Running, TestWorld, noon},
};
use tongxin_proto::{
    PRODUCT, TOY,
    toy::v1::{ListTalliesRequest, tally_service_client::TallyServiceClient},
};
use tongxin_toy::KIND;
use tonic::{Code, Request};

/// The toy with a section of settings.
fn configured(section: &Value) -> Box<dyn Configured> {
    let sections = Sections::of_json(json!({ "toy": section, "shop": {} })).unwrap();
    (KIND.read)(&sections).unwrap().unwrap()
}

fn section(world: &TestWorld, database: &Database) -> Value {
    json!({
        "database": { "url": database.app_url },
        "pairing": "http://127.0.0.1:1",
        "request_key_files": world.request_key_files(),
    })
}

#[tokio::test]
async fn a_service_answers_once_it_is_started_by_its_kind() {
    let world = TestWorld::of(&TOY, noon()).await;
    let database = Database::migrated(&KIND.migrations()).await;
    let toy = configured(&section(&world, &database));
    assert_eq!((toy.kind().name, toy.faults()), ("toy", Vec::new()));
    let app = toy.build(world.shared.clone()).await.unwrap();
    assert_eq!(app.progress.keys().collect::<Vec<_>>(), [&"pairing"]);
    let running = Running::of(app);
    let mut client = TallyServiceClient::new(running.channel());
    let refused = client.list_tallies(ListTalliesRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut request = Request::new(ListTalliesRequest::default());
    let token = format!("Bearer {}", world.token("auditor", "441823000000"));
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    assert_eq!(client.list_tallies(request).await.unwrap().into_inner().tallies, []);
    running.stop().await;
}

#[tokio::test]
async fn a_service_does_not_start_on_a_schema_that_is_behind() {
    let world = TestWorld::of(&TOY, noon()).await;
    let platform_alone = Migrations::with_platform(&sqlx::migrate::Migrator::DEFAULT);
    let database = Database::migrated(&platform_alone).await;
    let started = configured(&section(&world, &database)).build(world.shared.clone()).await;
    assert!(matches!(started, Err(StartError::Schema(_))), "{:?}", started.err());
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_of_a_service_is_named_by_its_path() {
    let database = json!({ "url": "postgres:///x" });
    let faults = configured(&json!({ "database": database, "pairing": "pairing" })).faults();
    assert!(faults[0].starts_with("toy.pairing: \"pairing\" is no address"), "{faults:?}");
    assert!(faults[1].starts_with("toy.request_key_files names no key"), "{faults:?}");
    assert_eq!(faults.len(), 2, "{faults:?}");

    let unknown = json!({ "toy": { "database": database, "pairing": "http://x", "pairings": 1 } });
    let refused = (KIND.read)(&Sections::of_json(unknown).unwrap()).unwrap_err();
    assert!(tongxin_platform::error::chain(&refused).contains("unknown field `pairings`"), "{refused}");
    assert!((KIND.read)(&Sections::of_json(json!({})).unwrap()).unwrap().is_none());
}

#[test]
fn the_product_does_not_show_the_toy() {
    let knows =
        |pool: &prost_reflect::DescriptorPool| pool.get_service_by_name("tongxin.toy.v1.TallyService").is_some();
    assert!(knows(TOY.pool) && !knows(PRODUCT.pool));
}
