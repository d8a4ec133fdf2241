//! Coverage rules that change, while other replicas run with those of before.

use sqlx::{Connection as _, PgConnection};
use tongxin_pairing::{CoverageRule, CoverageRules, Need, PairingKind};
use tongxin_platform::testing::eventually;
use tongxin_proto::pairing::v1::{self, OrganisationKind::Government};
use tonic::{Code, Status};

use crate::{
    coverage::told_of,
    support::{OTHER_VILLAGE, TOWN, TestApp, VILLAGE, party_recipient, party_supporter, register, told},
};

/// One rule, which needs two party pairings.
fn two_parties() -> CoverageRules {
    let need = Need { pairing: PairingKind::Party, supporter_host: Vec::new(), at_least: 2 };
    CoverageRules([("party".to_owned(), CoverageRule { needs: vec![need] })].into())
}

/// How many statements of this database wait for a lock.
async fn waiting(app: &TestApp) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(query).fetch_one(&app.owner).await.unwrap()
}

fn is_outdated(refused: &Status) -> bool {
    told(refused) == (Code::Unavailable, "COVERAGE_RULES_OUTDATED".to_owned(), vec![])
}

#[tokio::test]
async fn other_rules_are_adopted_when_the_service_starts_again() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2025-01-01").await;
    app.pair(Government, OTHER_VILLAGE, "2025-01-01").await;
    app.pair(Government, VILLAGE, "2025-02-01").await;
    let app = app.restart(two_parties()).await;
    assert_eq!(app.coverage(TOWN, "party", "2025-06-30").await, (1, 2));
    for (village, as_of, expected) in
        [(VILLAGE, "2025-01-31", 0), (VILLAGE, "2025-02-01", 1), (OTHER_VILLAGE, "2025-06-30", 0)]
    {
        assert_eq!(told_of(&app, village, "party", as_of).await, expected, "{village} {as_of}");
    }
    // The rule that is gone covers nobody any more.
    assert_eq!(told_of(&app, VILLAGE, "dual", "2025-06-30").await, 0);
}

#[tokio::test]
async fn a_replica_with_the_rules_of_before_refuses_to_count_and_is_not_ready() {
    let old = TestApp::with_register().await;
    let pairing = old.pair(Government, VILLAGE, "2025-01-01").await;
    let supporter = old.register(party_supporter(Government)).await;
    let recipient = old.register(party_recipient(VILLAGE)).await;
    assert!(old.readiness().await.starts_with("HTTP/1.1 200"));

    let new = old.replica(two_parties()).await;
    let before = old.all_events().await;
    assert!(is_outdated(&old.establish(&supporter, &recipient, "2025-02-01").await.unwrap_err()));
    assert!(is_outdated(&old.end(&pairing, "2025-02-01").await.unwrap_err()));
    assert!(is_outdated(&old.hq().void_pairing(crate::voids::void(&pairing)).await.unwrap_err()));
    let mut unassisted = register();
    unassisted.iter_mut().filter(|row| row.code == VILLAGE).for_each(|row| row.assisted = false);
    assert!(is_outdated(&old.import("2025-02-01", unassisted).await.unwrap_err()));
    let request = v1::GetCoverageRequest { region_code: TOWN.to_owned(), rule: "party".to_owned(), as_of: None };
    assert!(is_outdated(&old.hq().get_coverage(request).await.unwrap_err()));
    assert_eq!(old.all_events().await, before, "nothing half written");
    assert!(old.readiness().await.contains("coverage rules: another replica has adopted other coverage rules"));

    assert!(new.readiness().await.starts_with("HTTP/1.1 200"));
    new.establish(&supporter, &recipient, "2025-02-01").await.unwrap();
    assert_eq!(
        (told_of(&new, VILLAGE, "party", "2025-01-31").await, new.coverage(TOWN, "party", "2025-01-31").await),
        (0, (0, 2))
    );
    assert_eq!(
        (told_of(&new, VILLAGE, "party", "2025-02-01").await, new.coverage(TOWN, "party", "2025-02-01").await),
        (1, (1, 2))
    );
}

/// What was counted by the old rules is written before the new ones are adopted, or not at all.
#[tokio::test]
async fn rules_are_adopted_only_when_nobody_counts_by_others() {
    let old = TestApp::with_register().await;
    let supporter = old.register(party_supporter(Government)).await;
    let recipient = old.register(party_recipient(VILLAGE)).await;
    // Whoever holds the table up holds a pairing up that has been counted, but not written.
    let mut owner = PgConnection::connect(&old.database.owner_url).await.unwrap();
    let mut held_up = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE pairing IN SHARE MODE").execute(&mut *held_up).await.unwrap();

    let establish = old.establish(&supporter, &recipient, "2025-01-01");
    let adopt = async {
        eventually("the pairing waits for the table", || async { waiting(&old).await == 1 }).await;
        old.replica(two_parties()).await
    };
    let let_go = async {
        eventually("the new rules wait for the pairing", || async { waiting(&old).await == 2 }).await;
        held_up.rollback().await.unwrap();
    };
    let (established, new, ()) = tokio::join!(establish, adopt, let_go);
    established.unwrap();
    assert_eq!(
        (told_of(&new, VILLAGE, "party", "2025-06-30").await, new.coverage(TOWN, "party", "2025-06-30").await),
        (0, (0, 2))
    );
}
