//! Who sees what, through the gateway.

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::clock::Clock;
use tongxin_proto::{gateway::v1::GetScorecardRequest, pairing::v1::GetCoverageRequest};
use tongxin_tests::Clients;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::{QINGYUAN, TAIPING, VILLAGE, shared};

async fn scorecard(clients: &Clients, region: &str) -> Result<(), Status> {
    let request = GetScorecardRequest { region_code: region.to_owned(), as_of: None };
    clients.gateway().unwrap().get_scorecard(request).await.map(drop)
}

async fn coverage(clients: &Clients, region: &str) -> Result<(), Status> {
    let request = GetCoverageRequest { region_code: region.to_owned(), rule: "party".to_owned(), as_of: None };
    clients.pairing().unwrap().get_coverage(request).await.map(drop)
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[tokio::test]
async fn a_village_clerk_reads_only_the_village() {
    let shared = shared().await;
    let clerk =
        Clients::signed(&shared.instance.gateway, shared.data_dir(), ("village", VILLAGE), &Clock::system()).unwrap();
    scorecard(&clerk, VILLAGE).await.unwrap();
    coverage(&clerk, VILLAGE).await.unwrap();
    for elsewhere in ["441823107203", TAIPING, QINGYUAN] {
        for (foreign, absent) in [
            (scorecard(&clerk, elsewhere).await.unwrap_err(), scorecard(&clerk, "441899999999").await.unwrap_err()),
            (coverage(&clerk, elsewhere).await.unwrap_err(), coverage(&clerk, "441899999999").await.unwrap_err()),
        ] {
            assert_eq!((foreign.code(), reason(&foreign)), (Code::NotFound, "REGION_NOT_FOUND".to_owned()));
            assert_eq!(foreign.message().replace(elsewhere, "X"), absent.message().replace("441899999999", "X"));
        }
    }
}

#[tokio::test]
async fn without_a_good_token_nobody_is_let_in() {
    let shared = shared().await;
    let address = &shared.instance.gateway;
    let long_ago = Clock::fixed(DateTime::<Utc>::UNIX_EPOCH);
    let expired = Clients::signed(address, shared.data_dir(), ("hq", QINGYUAN), &long_ago).unwrap();
    let stranger = tempfile::tempdir().unwrap();
    let forged = Clients::signed(address, stranger.path(), ("hq", QINGYUAN), &Clock::system()).unwrap();
    let pairing = &shared.instance.services["pairing"].grpc;
    for (clients, expected) in [
        (Clients::with_token(address, None).unwrap(), "TOKEN_MISSING"),
        (Clients::with_token(address, Some("x.y.z")).unwrap(), "TOKEN_INVALID"),
        (expired.clone(), "TOKEN_INVALID"),
        (forged.clone(), "TOKEN_INVALID"),
        // Past the gateway, the service itself looks as closely.
        (Clients::with_token(pairing, None).unwrap(), "TOKEN_MISSING"),
        (forged.at(pairing), "TOKEN_INVALID"),
    ] {
        let refused = coverage(&clients, QINGYUAN).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, expected));
    }
}

/// Rows that a role sees of every table with a region, with a setting of the region or none.
async fn visible_rows(url: &str, region: Option<(&str, &str)>) -> (usize, i64) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'region_code'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut rows = 0;
    for table in &tables {
        let mut tx = conn.begin().await.unwrap();
        if let Some((from, until)) = region {
            let set =
                "SELECT set_config('tongxin.region_from', $1, true), set_config('tongxin.region_until', $2, true)";
            sqlx::query(set).bind(from).bind(until).execute(&mut *tx).await.unwrap();
        }
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        rows += sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
    (tables.len(), rows)
}

#[tokio::test]
async fn without_a_region_no_table_of_any_service_shows_a_row() {
    let shared = shared().await;
    for (service, url) in &shared.instance.databases {
        let (tables, all) = visible_rows(url, Some(("0", "1000000000000"))).await;
        assert!(tables >= 4 && all > 1_000, "{service}: {tables} tables, {all} rows");
        for nothing in [None, Some(("", "")), Some(("%", "%")), Some(("_", "_")), Some(("0", ""))] {
            assert_eq!(visible_rows(url, nothing).await, (tables, 0), "{service} {nothing:?}");
        }
    }
}
