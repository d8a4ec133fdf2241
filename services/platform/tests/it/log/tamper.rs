//! The log cannot be altered, and alterations by a superuser are detected.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, error::DatabaseError};

use super::*;
use tongxin_platform::{
    log::{ChainBroken, verify},
    testing::Database,
};

/// Statements that no role may execute.
const FORBIDDEN: [&str; 9] = [
    "UPDATE event SET payload = 'x'",
    "UPDATE event SET actor = 'x' WHERE seq IS NULL",
    "UPDATE event SET region_code = region_code + 1",
    "UPDATE event SET seq = 9 WHERE seq IS NOT NULL",
    "UPDATE event SET hash = sha256('x') WHERE seq IS NOT NULL",
    "UPDATE event SET seq = NULL, hash = NULL",
    "DELETE FROM event",
    "DELETE FROM event WHERE seq IS NULL",
    "TRUNCATE event",
];

async fn refused(conn: &mut PgConnection, statement: &'static str) {
    let mut tx = conn.begin().await.unwrap();
    tx.execute("SET LOCAL tongxin.region_from = 0; SET LOCAL tongxin.region_until = 1000000000000").await.unwrap();
    let error = tx.execute(statement).await.expect_err(statement);
    let code = error.as_database_error().and_then(DatabaseError::code).unwrap();
    assert_eq!(code, "42501", "{statement}: {error}");
    tx.rollback().await.unwrap();
}

/// A log with one numbered event and one without a number.
async fn half_sequenced() -> Database {
    let database = database().await;
    let pool = tongxin_platform::db::connect(&tongxin_platform::db::DbConfig::at(&database.app_url)).await.unwrap();
    let clock = tongxin_platform::clock::Clock::fixed(crate::support::noon());
    let writer = tongxin_platform::request::Writer::new(
        pool.clone(),
        clock,
        tongxin_platform::log::RelayWake::default(),
        tongxin_platform::request::RequestKeys::for_tests(),
        (),
    );
    for _ in 0..2 {
        writer.execute::<_, crate::support::CountResponse>(new_call(), count("wells", 1)).await.unwrap();
        let sequenced = everywhere(&pool, "SELECT count(*) FROM event WHERE seq IS NOT NULL").await;
        if sequenced == 0 {
            tongxin_platform::log::number_waiting(&pool).await.unwrap();
        }
    }
    database
}

#[tokio::test]
async fn neither_the_service_nor_the_owner_can_alter_the_log() {
    let database = half_sequenced().await;
    for url in [&database.app_url, &database.owner_url] {
        let mut conn = PgConnection::connect(url).await.unwrap();
        for statement in FORBIDDEN {
            refused(&mut conn, statement).await;
        }
    }
}

#[tokio::test]
async fn the_service_can_alter_neither_answers_nor_the_schema() {
    let database = half_sequenced().await;
    let mut conn = PgConnection::connect(&database.app_url).await.unwrap();
    for statement in [
        "UPDATE request SET answer = 'x'",
        "DELETE FROM request",
        "DELETE FROM log_head",
        "INSERT INTO log_head VALUES (false, 1, 0, '', 0)",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "ALTER TABLE event DISABLE ROW LEVEL SECURITY",
        "DROP TABLE event",
        "DROP POLICY region ON event",
        "CREATE TABLE mine (id int)",
        "SET session_replication_role = replica",
        "SET ROLE postgres",
    ] {
        refused(&mut conn, statement).await;
    }
}

#[tokio::test]
async fn the_head_of_the_log_never_goes_back() {
    let database = half_sequenced().await;
    for url in [&database.app_url, &database.owner_url] {
        let mut conn = PgConnection::connect(url).await.unwrap();
        for statement in ["UPDATE log_head SET seq = 0, hash = ''", "UPDATE log_head SET epoch = 0"] {
            refused(&mut conn, statement).await;
        }
    }
}

/// A change of the log that only a superuser can make, by disabling all triggers.
async fn tamper(source: &Source, statement: &'static str) {
    let mut owner = crate::support::owner(&source.database).await;
    let tampering = format!("SET session_replication_role = replica; {statement}");
    owner.execute(AssertSqlSafe(tampering)).await.unwrap();
}

async fn five_events() -> Source {
    let source = Source::start().await;
    for _ in 0..5 {
        source.count("wells", 1).await;
    }
    source.published(5).await;
    let verified = verify(&source.pool, |_| {}).await.unwrap();
    assert_eq!((verified.events, verified.hash), (5, source.head().await.hash));
    source
}

#[tokio::test]
async fn an_altered_event_is_found() {
    for (statement, found) in [
        ("UPDATE event SET payload = 'x' WHERE seq = 3", 3),
        ("UPDATE event SET actor = 'somebody else' WHERE seq = 2", 2),
        ("UPDATE event SET record_time = record_time - interval '1 us' WHERE seq = 5", 5),
        ("UPDATE event SET aggregate_type = 'tall', aggregate_id = 'y' || aggregate_id WHERE seq = 1", 1),
        ("UPDATE event SET hash = sha256('x') WHERE seq = 4", 4),
    ] {
        let source = five_events().await;
        tamper(&source, statement).await;
        let broken = verify(&source.pool, |_| {}).await.unwrap_err();
        assert!(matches!(broken, ChainBroken::Altered(seq) if seq == found), "{statement}: {broken}");
    }
}

#[tokio::test]
async fn a_missing_event_is_found() {
    for (statement, found) in [("DELETE FROM event WHERE seq = 2", 2), ("DELETE FROM event WHERE seq = 5", 5)] {
        let source = five_events().await;
        tamper(&source, statement).await;
        let broken = verify(&source.pool, |_| {}).await.unwrap_err();
        assert!(matches!(broken, ChainBroken::Missing(seq) if seq == found), "{statement}: {broken}");
    }
}

#[tokio::test]
async fn events_beyond_the_head_are_found() {
    for statement in [
        "UPDATE log_head SET seq = 4, published_seq = 4, hash = (SELECT hash FROM event WHERE seq = 4)",
        "INSERT INTO event (event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
                            record_time, actor, trace_parent, payload, seq, hash)
         SELECT gen_random_uuid(), event_type, aggregate_type, aggregate_id, 6, region_code, occurred_on,
                record_time, actor, trace_parent, payload, 9, hash
         FROM event
         WHERE seq = 5",
    ] {
        let source = five_events().await;
        tamper(&source, statement).await;
        let broken = verify(&source.pool, |_| {}).await.unwrap_err();
        assert!(matches!(broken, ChainBroken::Head { head, newest } if newest > head), "{statement}: {broken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_grows_while_it_is_checked_is_sound() {
    let source = five_events().await;
    let growing = async {
        for _ in 0..100 {
            source.count("wells", 1).await;
        }
    };
    let checking = async {
        for _ in 0..100 {
            verify(&source.pool, |_| {}).await.unwrap();
        }
    };
    tokio::join!(growing, checking);
}
