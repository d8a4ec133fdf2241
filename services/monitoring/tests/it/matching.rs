//! Warnings meet the people that they are about, whichever of them came first, at the same time, or before a restart.

use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{db::Scope, region::RegionCode, testing::eventually};
use tongxin_proto::monitoring::v1::{self, Department, Relation};
use uuid::Uuid;

use crate::{
    drafts::{couple, id_number, member},
    merges::{merge, request},
    support::{COUNTY, OTHER_VILLAGE, PROVINCE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, new_request_id},
    warnings::{head_of, matched, requests, warning},
};

/// By what the log knows callers.
const HQ: &str = "tongxin-local|hq@440000000000";
const HEALTH: &str = "tongxin-local|DEPARTMENT_HEALTH@441823000000";

/// Keeps a change from being committed: it waits for the row in which its answer is to be kept.
struct Held(PgConnection);

impl Held {
    async fn of(app: &TestApp, actor: &str, request_id: &str, part: i32) -> Self {
        let mut conn = PgConnection::connect(&app.database.owner_url).await.unwrap();
        sqlx::query("BEGIN").execute(&mut conn).await.unwrap();
        let taken = "
            INSERT INTO request
            SELECT (jsonb_populate_record(
                       request, jsonb_build_object('actor', $1::text, 'request_id', $2::text, 'part', $3::integer)
                   )).*
            FROM request
            LIMIT 1";
        let taken = sqlx::query(taken).bind(actor).bind(request_id).bind(part).execute(&mut conn).await.unwrap();
        assert_eq!(taken.rows_affected(), 1);
        Self(conn)
    }

    async fn release(self) {
        self.0.close().await.unwrap();
    }
}

async fn so_many_wait(app: &TestApp, expected: i64) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let reached = || async { sqlx::query_scalar::<_, i64>(waiting).fetch_one(&app.owner).await.unwrap() == expected };
    eventually("the changes are held", reached).await;
}

/// How a person comes to where warnings find him.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Registered,
    Added,
    Moved,
    TakenOver,
    PartedAgain,
}

/// Prepares for a person to come into the county, and says who it will be.
async fn prepare(app: &TestApp, entry: Entry, order: u32) -> (String, Change) {
    match entry {
        Entry::Registered => {
            let request =
                v1::RegisterHouseholdRequest { request_id: new_request_id(), household: Some(couple(VILLAGE, order)) };
            (head_of(order), Change::Register(request))
        }
        Entry::Added => {
            let household_id = app.registered(VILLAGE, order).await.household_id;
            let person = id_number("19700101", order);
            let request = v1::SetMemberRequest {
                request_id: new_request_id(),
                household_id,
                member: Some(member("王大山", person.clone(), Relation::Sibling)),
                ..v1::SetMemberRequest::default()
            };
            (person, Change::Set(request))
        }
        Entry::Moved => {
            let request = v1::MoveHouseholdRequest {
                request_id: new_request_id(),
                household_id: app.registered(VILLAGE_ELSEWHERE, order).await.household_id,
                region_code: VILLAGE.to_owned(),
                moved_on: date("2025-06-30"),
                ..v1::MoveHouseholdRequest::default()
            };
            (head_of(order), Change::Move(request))
        }
        Entry::TakenOver => {
            let kept = app.registered(VILLAGE, order).await;
            let merged = app.registered(VILLAGE_ELSEWHERE, order + 1).await;
            let request = v1::MergeHouseholdsRequest { take_observations: false, ..request(&kept, &merged, &[0]) };
            (head_of(order + 1), Change::Merge(request))
        }
        Entry::PartedAgain => {
            let (kept, merged) = (app.registered(VILLAGE, order).await, app.registered(OTHER_VILLAGE, order + 1).await);
            let merge = merge(app, request(&kept, &merged, &[])).await.unwrap().merge.unwrap();
            let request = v1::UndoMergeRequest {
                request_id: new_request_id(),
                merge_id: merge.merge_id,
                ..v1::UndoMergeRequest::default()
            };
            (head_of(order + 1), Change::Undo(request))
        }
    }
}

enum Change {
    Register(v1::RegisterHouseholdRequest),
    Set(v1::SetMemberRequest),
    Move(v1::MoveHouseholdRequest),
    Merge(v1::MergeHouseholdsRequest),
    Undo(v1::UndoMergeRequest),
}

impl Change {
    fn request_id(&self) -> &str {
        match self {
            Self::Register(request) => &request.request_id,
            Self::Set(request) => &request.request_id,
            Self::Move(request) => &request.request_id,
            Self::Merge(request) => &request.request_id,
            Self::Undo(request) => &request.request_id,
        }
    }

    async fn carry_out(self, app: &TestApp) {
        let mut households = app.hq().households;
        match self {
            Self::Register(request) => drop(households.register_household(request).await.unwrap()),
            Self::Set(request) => drop(households.set_member(request).await.unwrap()),
            Self::Move(request) => drop(households.move_household(request).await.unwrap()),
            Self::Merge(request) => drop(households.merge_households(request).await.unwrap()),
            Self::Undo(request) => drop(households.undo_merge(request).await.unwrap()),
        }
    }
}

#[tokio::test]
async fn of_two_that_are_open_across_each_other_the_last_to_be_committed_meets_the_first() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 90).await;
    let entries = [Entry::Registered, Entry::Added, Entry::Moved, Entry::TakenOver, Entry::PartedAgain];
    let mut expected = 0;
    for (order, (entry, warning_first)) in
        (0..).step_by(2).zip(entries.into_iter().flat_map(|entry| [(entry, true), (entry, false)]))
    {
        let (person, change) = prepare(&app, entry, order).await;
        assert_eq!(matched(&app).await, expected);
        let submission = new_request_id();
        let held = [Held::of(&app, HEALTH, &submission, 1).await, Held::of(&app, HQ, change.request_id(), 0).await];
        let mut health = app.department(Department::Health, COUNTY);
        let rows = vec![warning(person, &format!("A-{order}"), "2025-06-10")];
        let warn = health.submit(requests(&submission, Department::Health, vec![rows]));
        let enter = change.carry_out(&app);
        let in_order = async {
            // Both have done all that they do, and neither waited for the other.
            so_many_wait(&app, 2).await;
            let [warning, change] = held;
            let [first, second] = if warning_first { [warning, change] } else { [change, warning] };
            first.release().await;
            so_many_wait(&app, 1).await;
            app.settled().await;
            second.release().await;
        };
        let (answer, (), ()) = futures::join!(warn, enter, in_order);
        assert_eq!(answer.unwrap().received, 1);
        expected += 1;
        assert_eq!(matched(&app).await, expected, "{entry:?}, the warning first: {warning_first}");
    }
}

#[tokio::test]
async fn what_waited_when_the_service_ended_is_matched_when_it_is_there_again() {
    let app = TestApp::start_without_matcher().await;
    app.registered(VILLAGE, 0).await;
    let rows = vec![warning(head_of(0), "A-1", "2025-06-10"), warning(head_of(1), "A-2", "2025-06-11")];
    assert_eq!(app.department(Department::Health, COUNTY).warn(rows).await.received, 2);
    app.registered(VILLAGE, 1).await;
    assert_eq!((app.count("match_queue").await, app.count("signal").await), (3, 0));

    let app = app.restart().await;
    assert_eq!(app.count("signal").await, 0, "another replica has the lease");
    sqlx::query("DELETE FROM lease WHERE name = 'warnings'").execute(&app.owner).await.unwrap();
    let app = app.restart().await;
    assert_eq!((matched(&app).await, app.count("signal").await), (2, 2));
    // They are the service's own doing, where the households live and on the days of the warnings.
    let events: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT actor, region_code, occurred_on::text FROM event WHERE event_type = 'tongxin.monitoring.v1.SignalRaised'
         ORDER BY occurred_on",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    let village = VILLAGE.parse::<i64>().unwrap();
    let by_us = |day: &str| ("service:monitoring".to_owned(), village, day.to_owned());
    assert_eq!(events, [by_us("2025-06-10"), by_us("2025-06-11")]);
}

#[tokio::test]
async fn a_warning_is_taken_without_looking_for_the_person_and_a_person_without_looking_for_warnings() {
    let app = TestApp::start_without_matcher().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let mut health = app.department(Department::Health, COUNTY);
    let about_persons = "member, household, profile, signal, signal_source, cases";
    let told = async |rights: String| sqlx::query(sqlx::AssertSqlSafe(rights)).execute(&app.owner).await.unwrap();
    told(format!("REVOKE SELECT ON {about_persons} FROM tongxin_app")).await;
    // One who is known, one who is not.
    let answers = [
        health.warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await,
        health.warn(vec![warning(head_of(9), "A-2", "2025-06-10")]).await,
    ];
    assert_eq!(answers[0], answers[1]);
    assert_eq!((answers[0].received, app.count("warning").await), (1, 2));
    told(format!("GRANT SELECT ON {about_persons} TO tongxin_app")).await;

    told("REVOKE ALL ON warning FROM tongxin_app".to_owned()).await;
    app.registered(VILLAGE, 9).await;
    let moves = v1::MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household,
        region_code: OTHER_VILLAGE.to_owned(),
        moved_on: date("2025-06-30"),
        ..v1::MoveHouseholdRequest::default()
    };
    app.hq().households.move_household(moves).await.unwrap();
}

#[tokio::test]
async fn thousands_of_warnings_about_one_person_are_one_report_a_day() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let mut health = app.department(Department::Health, COUNTY);
    // More than one transaction of the matcher takes, of 25 days.
    let row = |number: u32| warning(head_of(0), &format!("A-{number}"), &format!("2025-05-{:02}", number % 25 + 1));
    let rows: Vec<_> = (0..2_500).map(row).collect();
    let answer = health.warn(rows).await;
    assert_eq!((answer.received, answer.malformed), (2_500, 0));
    assert_eq!(matched(&app).await, 2_500);
    assert_eq!((app.count("signal").await, app.count("signal_source").await), (1, 25));
    assert_eq!(app.events::<v1::SignalRaised>().await.len(), 25);
    // Whoever reads the signal is shown the first of them, and how many there are.
    let of_household = v1::ListSignalsRequest { household_id: household, ..v1::ListSignalsRequest::default() };
    let (listed, _) = app.hq().signals_in(of_household).await;
    let read = app.hq().signal(&listed[0].signal_id).await.unwrap();
    assert_eq!((listed.len(), &listed[0]), (1, &read));
    assert_eq!((read.sources.len(), read.source_count, read.sources[0].reported_on), (20, 25, date("2025-05-01")));
    // All of them count as what the department sent.
    let request =
        v1::GetFunnelRequest { region_code: PROVINCE.to_owned(), from: date("2025-05-01"), until: date("2025-05-31") };
    let funnel = app.hq().signals.get_funnel(request).await.unwrap().into_inner().total.unwrap();
    assert_eq!((funnel.warnings, funnel.signals), (2_500, 1));
}

#[tokio::test]
async fn whoever_cannot_be_matched_keeps_nobody_else_waiting_and_is_tried_again() {
    let app = TestApp::start().await;
    let broken = app.registered(VILLAGE, 0).await.household_id;
    app.registered(VILLAGE, 1).await;
    let fault = format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$;
         CREATE TRIGGER fails BEFORE INSERT ON signal FOR EACH ROW WHEN (NEW.household_id = '{broken}') EXECUTE FUNCTION fail()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fault)).execute(&app.owner).await.unwrap();
    let rows = vec![warning(head_of(0), "A-1", "2025-06-10"), warning(head_of(1), "A-2", "2025-06-10")];
    app.department(Department::Health, COUNTY).warn(rows).await;
    app.registered(VILLAGE, 2).await;
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(2), "A-3", "2025-06-10")]).await;
    eventually("the others are matched", || async { app.count("signal").await == 2 }).await;
    let failed = "SELECT count(*) FROM match_queue WHERE attempts > 0 AND cardinality(people) = 1";
    let one_failed = || async { sqlx::query_scalar::<_, i64>(failed).fetch_one(&app.owner).await.unwrap() == 1 };
    eventually("one is put off", one_failed).await;
    sqlx::query("DROP TRIGGER fails ON signal").execute(&app.owner).await.unwrap();
    assert_eq!((matched(&app).await, app.count("signal").await), (3, 3));
}

#[tokio::test]
async fn nobody_but_the_service_sees_who_waits() {
    let app = TestApp::start_without_matcher().await;
    app.registered(VILLAGE, 0).await;
    assert_eq!(app.count("match_queue").await, 1);
    for region in [PROVINCE, COUNTY, VILLAGE] {
        let mut tx = Scope::region(RegionCode::parse(region).unwrap()).write(&app.owner).await.unwrap();
        sqlx::query("SET LOCAL ROLE tongxin_app").execute(&mut *tx).await.unwrap();
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM match_queue").fetch_one(&mut *tx).await.unwrap();
        let gone = sqlx::query("DELETE FROM match_queue").execute(&mut *tx).await.unwrap().rows_affected();
        assert_eq!((seen, gone), (0, 0), "{region}");
        let person = Uuid::new_v4();
        sqlx::query("INSERT INTO match_queue (people) VALUES (ARRAY[$1])")
            .bind(person)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_household_that_somebody_changes_for_long_keeps_no_other_warning_waiting() {
    let app = TestApp::start().await;
    let changed = app.registered(VILLAGE, 0).await.household_id;
    app.registered(VILLAGE, 1).await;
    app.settled().await;
    let mut change = PgConnection::connect(&app.database.owner_url).await.unwrap();
    sqlx::query("BEGIN").execute(&mut change).await.unwrap();
    let held = "SELECT FROM household WHERE household_id = $1::uuid FOR UPDATE";
    sqlx::query(held).bind(&changed).execute(&mut change).await.unwrap();
    let rows = vec![warning(head_of(0), "A-1", "2025-06-10"), warning(head_of(1), "A-2", "2025-06-10")];
    app.department(Department::Health, COUNTY).warn(rows).await;
    eventually("the other one is matched", || async { app.count("signal").await == 1 }).await;
    change.close().await.unwrap();
    assert_eq!((matched(&app).await, app.count("signal").await), (2, 2));
}
