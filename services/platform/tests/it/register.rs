//! The register follows its owner's log, and is asked the same way by every service.

use std::sync::Arc;

use chrono::NaiveDate;
use sqlx::PgPool;
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_proto::register::v1::{self, RegionsRecorded};

use crate::support::{CONSUMER, COUNTY, ELSEWHERE, SOURCE, Source, VILLAGE, database, event, everywhere, region};

use tongxin_platform::{
    consumer::Consumer,
    db::{self, DbConfig, Scope},
    log::{self, NewEvent},
    region::RegionCode,
    register::{Region, RegionError, RegionLevel, RegionRefused, Register, ensure, find, known, lock},
    testing::eventually,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn stated(code: &str, name: &str, level: v1::RegionLevel) -> v1::Region {
    v1::Region {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        valid_from: Some(day("2021-01-01").into()),
        ..v1::Region::default()
    }
}

fn village(name: &str) -> v1::Region {
    stated(VILLAGE, name, v1::RegionLevel::Village)
}

fn withdrawn(from: &str) -> v1::Region {
    v1::Region { valid_until: Some(day(from).into()), ..village("旧村") }
}

fn recorded(regions: Vec<v1::Region>) -> NewEvent {
    event("register", &RegionsRecorded { regions })
}

/// A service that follows the register, on a database of its own.
struct Follower {
    pool: PgPool,
    _stop: DropGuard,
}

impl Follower {
    async fn start(source: &Source) -> Self {
        let pool = db::connect(&DbConfig::at(&database().await.app_url)).await.unwrap();
        let (jetstream, log) = (source.jetstream.clone(), source.log_client());
        let stop = CancellationToken::new();
        let consumer = Consumer::new((CONSUMER, SOURCE), pool.clone(), jetstream, log, Arc::new(Register));
        tokio::spawn(consumer.run(stop.clone()));
        Self { pool, _stop: stop.drop_guard() }
    }

    /// Waits until it knows a region by a name.
    async fn knows(&self, code: &str, name: &str) -> Region {
        let found = async || {
            let mut tx = Scope::EVERYWHERE.read(&self.pool).await.unwrap();
            find(&mut tx, region(code)).await.ok().filter(|found| found.name == name)
        };
        eventually("the region is known", || async { found().await.is_some() }).await;
        found().await.unwrap()
    }

    async fn parked(&self) -> i64 {
        everywhere(&self.pool, "SELECT count(*) FROM parked_event").await
    }
}

/// A database in which the village's code is withdrawn from 2024 on.
async fn database_with_a_withdrawn_village() -> PgPool {
    let pool = db::connect(&DbConfig::at(&database().await.app_url)).await.unwrap();
    let insert = "
        INSERT INTO region (region_code, name, level, valid_from, valid_until)
        VALUES (441823107201, '旧村', 'village', '2021-01-01', '2024-01-01'),
               (441825104201, '小三江村', 'village', '2021-01-01', NULL)";
    let mut tx = Scope::EVERYWHERE.write(&pool).await.unwrap();
    sqlx::query(insert).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    pool
}

#[tokio::test]
async fn a_service_takes_the_register_from_the_owners_subject() {
    let source = Source::start().await;
    let county = stated(COUNTY, "阳山县", v1::RegionLevel::County);
    let follower = Follower::start(&source).await;
    source
        .tell("register", recorded(vec![county, v1::Region { parent_code: COUNTY.to_owned(), ..village("沙塘村") }]))
        .await;
    let found = follower.knows(VILLAGE, "沙塘村").await;
    let (level, valid_from) = (RegionLevel::Village, day("2021-01-01"));
    let name = "沙塘村".to_owned();
    let parent_code = Some(region(COUNTY));
    let expected = Region { region_code: region(VILLAGE), name, level, parent_code, valid_from, valid_until: None };
    assert_eq!(found, expected);
    source.published(1).await;
    let stream = source.jetstream.get_stream(log::stream_name(SOURCE)).await.unwrap();
    let subject = stream.get_raw_message(1).await.unwrap().subject;
    assert_eq!(subject.as_str(), "tongxin.sample.tongxin.register.v1.RegionsRecorded");
}

#[tokio::test]
async fn the_newest_statement_counts_also_where_one_message_has_several() {
    let source = Source::start().await;
    source.tell("register", recorded(vec![village("沙塘"), village("沙塘村")])).await;
    let follower = Follower::start(&source).await;
    assert_eq!(follower.knows(VILLAGE, "沙塘村").await.valid_until, None);
    source.tell("register", recorded(vec![withdrawn("2024-01-01")])).await;
    assert_eq!(follower.knows(VILLAGE, "旧村").await.valid_until, Some(day("2024-01-01")));
}

#[tokio::test]
async fn what_is_no_region_is_parked() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    let without_level = v1::Region { level: 0, ..village("沙塘村") };
    let without_day = v1::Region { valid_from: None, ..village("沙塘村") };
    let without_code = v1::Region { code: "4418".to_owned(), ..village("沙塘村") };
    let over_before_it_began = withdrawn("2020-12-31");
    let wrong = [without_level, without_day, without_code, over_before_it_began];
    for (number, region) in wrong.into_iter().enumerate() {
        let id = format!("register {number}");
        source.tell(&id, event(&id, &RegionsRecorded { regions: vec![region] })).await;
    }
    eventually("all are parked", || async { follower.parked().await == 4 }).await;
    assert_eq!(everywhere(&follower.pool, "SELECT count(*) FROM region").await, 0);
}

#[tokio::test]
async fn a_log_that_begins_anew_is_forgotten_and_another_sources_regions_are_not() {
    let pool = database_with_a_withdrawn_village().await;
    let mut tx = Scope::EVERYWHERE.write(&pool).await.unwrap();
    sqlx::query("UPDATE region SET source = 'first' WHERE region_code = 441823107201").execute(&mut *tx).await.unwrap();
    tongxin_platform::consumer::EventHandler::forget(&Register, &mut tx, "first").await.unwrap();
    assert!(matches!(
        find(&mut tx, region(VILLAGE)).await,
        Err(RegionError::Refused(RegionRefused::NotFound(code))) if code == region(VILLAGE)
    ));
    find(&mut tx, region(ELSEWHERE)).await.unwrap();
}

#[tokio::test]
async fn nothing_starts_in_a_code_that_is_withdrawn_or_that_there_is_not() {
    let pool = database_with_a_withdrawn_village().await;
    let mut tx = Scope::EVERYWHERE.write(&pool).await.unwrap();
    let (old, unknown) = (region(VILLAGE), region("441823107299"));
    let refused = RegionRefused::Withdrawn { region: old, from: day("2024-01-01") };
    let regions = known(&mut tx, [old, old, unknown]).await.unwrap();
    for (asked, on, expected) in [
        (old, "2020-12-31", Ok(())),
        (old, "2023-12-31", Ok(())),
        (old, "2024-01-01", Err(refused)),
        (unknown, "2023-12-31", Err(RegionRefused::NotFound(unknown))),
    ] {
        assert_eq!(regions.open_on(asked, day(on)), expected, "{asked} {on}");
    }
    assert_eq!(lock(&mut tx, old).await.unwrap().open_on(day("2024-01-01")), Err(refused));
    assert!(ensure(&mut tx, old).await.is_ok() && ensure(&mut tx, unknown).await.is_err());
}

#[tokio::test]
async fn a_region_elsewhere_is_not_there() {
    let pool = database_with_a_withdrawn_village().await;
    let mut tx = Scope::region(region(COUNTY)).read(&pool).await.unwrap();
    let elsewhere = region(ELSEWHERE);
    let not_found = |error: RegionError| error.to_string().starts_with(&format!("region {elsewhere} does not exist"));
    assert!(not_found(ensure(&mut tx, elsewhere).await.unwrap_err()));
    let regions = known(&mut tx, [elsewhere, RegionCode::COUNTRY]).await.unwrap();
    assert_eq!(regions.open_on(elsewhere, day("2022-01-01")), Err(RegionRefused::NotFound(elsewhere)));
}
