//! Imports of households: broken off and resumed, with rows that are wrong, and tried out.

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use tongxin_platform::testing::eventually;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus, RuleWarning},
    monitoring::v1::{
        self, GetImportRequest, HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, import_households_request::Part,
    },
};
use tonic::{Code, Status};

use crate::{
    drafts::{couple, household, id_number, member},
    support::{COUNTY, Clients, OTHER_VILLAGE, TestApp, VILLAGE, date, new_request_id, now, told},
};

fn options(import: &str) -> ImportHouseholdsRequest {
    let options = ImportOptions { import_id: import.to_owned(), dry_run: false };
    ImportHouseholdsRequest { part: Some(Part::Options(options)) }
}

fn dry_run() -> ImportHouseholdsRequest {
    let options = ImportOptions { import_id: new_request_id(), dry_run: true };
    ImportHouseholdsRequest { part: Some(Part::Options(options)) }
}

fn rows(first_row: i64, rows: Vec<HouseholdDraft>) -> ImportHouseholdsRequest {
    ImportHouseholdsRequest { part: Some(Part::Rows(HouseholdRows { first_row, rows })) }
}

/// Couples of a village, numbered from one on.
fn couples(from: u32, until: u32) -> Vec<HouseholdDraft> {
    (from..until).map(|order| couple(VILLAGE, order)).collect()
}

/// Sends messages and returns what was answered, and what ended it.
async fn send(caller: &mut Clients, messages: Vec<ImportHouseholdsRequest>) -> (Vec<ImportStatus>, Result<(), Status>) {
    let mut answers = caller.households.import_households(stream::iter(messages)).await.unwrap().into_inner();
    let mut told = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => told.push(answer.status.unwrap()),
            Ok(None) => return (told, Ok(())),
            Err(status) => return (told, Err(status)),
        }
    }
}

async fn status(caller: &mut Clients, import: &str) -> Result<ImportStatus, Status> {
    let request = GetImportRequest { import_id: import.to_owned() };
    Ok(caller.households.get_import(request).await?.into_inner().status.unwrap())
}

fn counts(status: &ImportStatus) -> (i64, i64, i64) {
    (status.rows_taken, status.accepted, status.refused)
}

#[tokio::test]
async fn households_are_imported_and_told_of_village_by_village() {
    let app = TestApp::start().await;
    let import = new_request_id();
    let elsewhere =
        [couple(OTHER_VILLAGE, 20), HouseholdDraft { registered_on: date("2025-01-01"), ..couple(OTHER_VILLAGE, 21) }];
    let messages =
        vec![options(&import), rows(1, [couples(0, 3), elsewhere.to_vec()].concat()), rows(6, couples(3, 5))];
    let (answers, end) = send(&mut app.clients("county", COUNTY), messages).await;
    end.unwrap();
    assert_eq!(answers.iter().map(counts).collect::<Vec<_>>(), [(5, 5, 0), (7, 7, 0)]);
    assert_eq!((app.count("household").await, app.count("member").await, app.count("profile").await), (7, 14, 7));

    let told_of = app.events::<v1::HouseholdsRegistered>().await;
    let told_of: Vec<_> = told_of
        .iter()
        .map(|event| (event.region_code.as_str(), event.household_ids.len(), event.import_id.as_str()))
        .collect();
    let import = import.as_str();
    assert_eq!(
        told_of,
        [(VILLAGE, 3, import), (OTHER_VILLAGE, 1, import), (OTHER_VILLAGE, 1, import), (VILLAGE, 2, import)]
    );
    assert_eq!((app.counted(VILLAGE, "2025-06-30").await, app.counted(OTHER_VILLAGE, "2025-06-30").await), (5, 2));
    assert_eq!(app.counted(OTHER_VILLAGE, "2025-01-01").await, 1);
    let found = app.hq().by_id_number(&id_number("19820202", 2 * 4 + 2)).await;
    assert_eq!(app.hq().reveal(&found[0]).await.unwrap().members[1].name, "王小花");
}

#[tokio::test]
async fn an_import_that_was_broken_off_goes_on_and_takes_each_row_once() {
    let app = TestApp::start().await;
    let (import, mut caller) = (new_request_id(), app.clients("county", COUNTY));
    let first = stream::iter([options(&import), rows(1, couples(0, 3))]).chain(stream::pending());
    let mut answers = caller.households.import_households(first).await.unwrap().into_inner();
    assert_eq!(counts(&answers.message().await.unwrap().unwrap().status.unwrap()), (3, 3, 0));
    drop(answers);

    assert_eq!(counts(&status(&mut caller, &import).await.unwrap()), (3, 3, 0));
    // Rows 2 and 3 come again.
    let (answers, end) =
        send(&mut caller, vec![options(&import), rows(2, couples(1, 5)), rows(1, couples(0, 2))]).await;
    end.unwrap();
    assert_eq!(answers.iter().map(counts).collect::<Vec<_>>(), [(5, 5, 0), (5, 5, 0)]);
    assert_eq!((app.count("household").await, app.counted(VILLAGE, "2025-06-30").await), (5, 5));
}

#[tokio::test]
async fn a_message_whose_caller_has_gone_is_written_whole() {
    let app = TestApp::start().await;
    let (import, mut caller) = (new_request_id(), app.clients("county", COUNTY));
    let mut owner = app.owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE event IN EXCLUSIVE MODE").execute(&mut *owner).await.unwrap();
    let messages = stream::iter([options(&import), rows(1, couples(0, 4))]).chain(stream::pending());
    let answers = caller.households.import_households(messages).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'event'::regclass";
    let waits = || async { sqlx::query_scalar::<_, i64>(waiting).fetch_one(&app.owner).await.unwrap() > 0 };
    eventually("the rows are being written", waits).await;
    drop(answers);
    drop(caller);
    owner.commit().await.unwrap();
    eventually("they are written", || async { app.count("household").await == 4 }).await;
    assert_eq!(counts(&status(&mut app.clients("county", COUNTY), &import).await.unwrap()), (4, 4, 0));
}

#[tokio::test]
async fn a_gap_names_the_row_to_go_on_with() {
    let app = TestApp::start().await;
    let import = new_request_id();
    let messages = vec![options(&import), rows(1, couples(0, 2)), rows(4, couples(3, 5))];
    let (answers, end) = send(&mut app.hq(), messages).await;
    let refused = end.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "IMPORT_GAP"));
    assert!(refused.message().contains("row 3"), "{refused}");
    assert_eq!((answers.len(), counts(&status(&mut app.hq(), &import).await.unwrap())), (1, (2, 2, 0)));
    assert_eq!(app.count("household").await, 2);
}

/// Rows that are wrong in different ways, between two that are not.
fn mixed() -> Vec<HouseholdDraft> {
    let head = || member("李四", id_number("19700101", 1), v1::Relation::Head);
    let numbered = |order| HouseholdDraft { household_number: "77".to_owned(), ..couple(VILLAGE, order) };
    vec![
        numbered(0),
        household(VILLAGE, vec![v1::MemberDraft { id_number: "110101202311012171".to_owned(), ..head() }]),
        household(VILLAGE, vec![]),
        household("441823107299", vec![head()]),
        numbered(1),
        household("441823107000", vec![head()]),
        household(VILLAGE, vec![head()]),
    ]
}

const MIXED_ERRORS: [(i64, &str, &str); 5] = [
    (2, "ID_NUMBER_INVALID", "members[0].id_number"),
    (3, "INVALID_FIELDS", "members"),
    (4, "REGION_NOT_FOUND", "region_code"),
    (5, "ROW_TWICE", ""),
    (6, "REGION_LEVEL_WRONG", "region_code"),
];

fn errors(status: &ImportStatus) -> Vec<(i64, &str, &str)> {
    status.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect()
}

#[tokio::test]
async fn a_row_that_is_wrong_is_named_and_harms_no_other() {
    let app = TestApp::start().await;
    let import = new_request_id();
    let taken_before = HouseholdDraft { household_number: "77".to_owned(), ..couple(VILLAGE, 9) };
    let messages = vec![options(&import), rows(1, mixed()), rows(8, vec![taken_before, couple(VILLAGE, 10)])];
    let (answers, end) = send(&mut app.hq(), messages).await;
    end.unwrap();
    assert_eq!((counts(&answers[0]), errors(&answers[0])), ((7, 2, 5), MIXED_ERRORS.to_vec()));
    assert_eq!(answers[0].errors[3].message, "row 1 is about the same: state it once");
    let last = (8, "HOUSEHOLD_DIFFERS", "members[0].id_number");
    assert_eq!((counts(&answers[1]), errors(&answers[1])), ((9, 3, 6), vec![last]));
    let asked = status(&mut app.hq(), &import).await.unwrap();
    assert_eq!((counts(&asked), errors(&asked)), ((9, 3, 6), [&MIXED_ERRORS[..], &[last]].concat()));
    assert_eq!((app.count("household").await, app.count("member").await), (3, 5));
}

#[tokio::test]
async fn a_dry_run_checks_all_and_writes_nothing() {
    let app = TestApp::start().await;
    let twice = HouseholdDraft { household_number: "77".to_owned(), ..couple(VILLAGE, 9) };
    let (answers, end) =
        send(&mut app.hq(), vec![dry_run(), rows(1, mixed()), rows(8, vec![twice, couple(VILLAGE, 10)])]).await;
    end.unwrap();
    assert_eq!((counts(&answers[0]), errors(&answers[0])), ((7, 2, 5), MIXED_ERRORS.to_vec()));
    let last = (8, "HOUSEHOLD_NUMBER_TAKEN", "household_number");
    assert_eq!((counts(&answers[1]), errors(&answers[1])), ((9, 3, 6), vec![last]));
    for table in ["household", "member", "profile", "event", "import", "import_error", "request"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_colleague_has_an_import_of_its_own_under_the_same_identifier() {
    let app = TestApp::start().await;
    let import = new_request_id();
    let (mut county, mut hq) = (app.clients("county", COUNTY), app.hq());
    send(&mut county, vec![options(&import), rows(1, couples(0, 2))]).await.1.unwrap();
    let absent = status(&mut hq, &import).await.unwrap_err();
    assert_eq!((absent.code(), told(&absent).1.as_str()), (Code::NotFound, "IMPORT_NOT_FOUND"));
    assert_eq!(told(&status(&mut hq, &new_request_id()).await.unwrap_err()).1, "IMPORT_NOT_FOUND");

    // Rows have numbers of their own there, and both go on by themselves.
    let gap = send(&mut hq, vec![options(&import), rows(3, couples(4, 5))]).await.1.unwrap_err();
    assert_eq!(told(&gap).1, "IMPORT_GAP");
    send(&mut hq, vec![options(&import), rows(1, couples(2, 5))]).await.1.unwrap();
    send(&mut county, vec![options(&import), rows(3, couples(5, 6))]).await.1.unwrap();
    assert_eq!(counts(&status(&mut hq, &import).await.unwrap()), (3, 3, 0));
    assert_eq!(counts(&status(&mut county, &import).await.unwrap()), (3, 3, 0));
    assert_eq!(app.count("household").await, 6);
    // Their events do not share versions either.
    let aggregates = "SELECT count(DISTINCT aggregate_id) FROM event WHERE aggregate_type = 'import'";
    assert_eq!(sqlx::query_scalar::<_, i64>(aggregates).fetch_one(&app.owner).await.unwrap(), 2);
}

#[tokio::test]
async fn an_identifier_is_for_one_kind_of_import() {
    let app = TestApp::start().await;
    let import = new_request_id();
    send(&mut app.hq(), vec![options(&import), rows(1, couples(0, 1))]).await.1.unwrap();
    sqlx::query("UPDATE import SET kind = 'observations'").execute(&app.owner).await.unwrap();
    let refused = send(&mut app.hq(), vec![options(&import), rows(2, couples(1, 2))]).await.1.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::AlreadyExists, "IMPORT_ID_REUSED"));
    assert_eq!(app.count("household").await, 1);
}

/// A row about a village that is not in the register.
fn nowhere(order: u32) -> HouseholdDraft {
    couple("441823107299", order)
}

fn refused_rows(status: &ImportStatus) -> Vec<(i64, i64)> {
    status.errors.iter().map(|error| (error.row, error.refused_time.unwrap().seconds)).collect()
}

#[tokio::test]
async fn a_row_that_was_refused_is_decided_anew_and_one_that_was_accepted_is_not() {
    let app = TestApp::start().await;
    let (import, mut hq) = (new_request_id(), app.hq());
    let first = now().timestamp();
    let file = |second, third| vec![couple(VILLAGE, 0), second, third, couple(VILLAGE, 3), nowhere(4)];
    send(&mut hq, vec![options(&import), rows(1, file(nowhere(1), nowhere(2)))]).await.1.unwrap();
    let asked = status(&mut hq, &import).await.unwrap();
    assert_eq!((counts(&asked), refused_rows(&asked)), ((5, 2, 3), vec![(2, first), (3, first), (5, first)]));

    // From the first refused row on; rows 4 and 5 come in a message of their own, with a new one.
    app.world.clock.set(now() + TimeDelta::hours(1));
    let (mut hq, later) = (app.hq(), first + 3_600);
    let messages = [rows(2, vec![couple(VILLAGE, 1), nowhere(2)]), rows(4, vec![couple(VILLAGE, 9)])];
    let (answers, end) = send(&mut hq, [vec![options(&import)], messages.to_vec()].concat()).await;
    end.unwrap();
    assert_eq!(answers.iter().map(counts).collect::<Vec<_>>(), [(5, 3, 2), (5, 3, 2)]);
    assert_eq!((refused_rows(&answers[0]), refused_rows(&answers[1])), (vec![(3, later)], vec![]));
    let asked = status(&mut hq, &import).await.unwrap();
    assert_eq!((counts(&asked), refused_rows(&asked)), ((5, 3, 2), vec![(3, later), (5, first)]));
    assert_eq!(app.count("household").await, 3, "row 4 was accepted before, whatever it says now");

    let all = vec![options(&import), rows(1, file(couple(VILLAGE, 1), couple(VILLAGE, 2))), rows(6, couples(5, 6))];
    let (answers, end) = send(&mut hq, all).await;
    end.unwrap();
    assert_eq!(answers.iter().map(counts).collect::<Vec<_>>(), [(5, 4, 1), (6, 5, 1)]);
    assert_eq!((app.count("household").await, app.count("import_error").await), (5, 1));
    assert_eq!(app.counted(VILLAGE, "2025-06-30").await, 5);
}

#[tokio::test]
async fn a_dry_run_decides_refused_rows_anew_as_well() {
    let app = TestApp::start().await;
    let mixed = vec![couple(VILLAGE, 0), nowhere(1)];
    let messages =
        vec![dry_run(), rows(1, mixed), rows(2, vec![couple(VILLAGE, 1), nowhere(2)]), rows(1, couples(0, 3))];
    let (answers, end) = send(&mut app.hq(), messages).await;
    end.unwrap();
    assert_eq!(answers.iter().map(counts).collect::<Vec<_>>(), [(2, 1, 1), (3, 2, 1), (3, 3, 0)]);
    assert_eq!((app.count("household").await, app.count("import").await), (0, 0));
}

/// As if the service or Postgres had been killed while it writes.
#[tokio::test]
async fn what_is_killed_while_refused_rows_are_decided_anew_leaves_exact_counts() {
    let app = TestApp::start().await;
    let (import, mut caller) = (new_request_id(), app.clients("county", COUNTY));
    let file = vec![couple(VILLAGE, 0), nowhere(1), nowhere(2)];
    send(&mut caller, vec![options(&import), rows(1, file)]).await.1.unwrap();
    let before = status(&mut caller, &import).await.unwrap();

    let again = || rows(2, vec![couple(VILLAGE, 1), couple(VILLAGE, 2), couple(VILLAGE, 3)]);
    let mut owner = app.owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE event IN EXCLUSIVE MODE").execute(&mut *owner).await.unwrap();
    let sending = tokio::spawn({
        let (mut caller, import, again) = (caller.clone(), import.clone(), again());
        async move { send(&mut caller, vec![options(&import), again]).await }
    });
    // Others wait, too, such as the relay.
    let waiting = "
        SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND relation = 'event'::regclass AND query LIKE '%INSERT INTO event%'";
    let waits = || async { sqlx::query_scalar::<_, i32>(waiting).fetch_optional(&app.owner).await.unwrap().is_some() };
    eventually("the rows are being written", waits).await;
    let kill = format!("SELECT pg_terminate_backend(pid) FROM ({waiting}) AS writing");
    sqlx::query(sqlx::AssertSqlSafe(kill)).execute(&app.owner).await.unwrap();
    owner.rollback().await.unwrap();
    assert_eq!(sending.await.unwrap().1.unwrap_err().code(), Code::Unavailable);
    assert_eq!(status(&mut caller, &import).await.unwrap(), before);
    assert_eq!(app.count("household").await, 1);

    for _ in 0..2 {
        let (answers, end) = send(&mut caller, vec![options(&import), again()]).await;
        end.unwrap();
        assert_eq!(counts(&answers[0]), (4, 4, 0));
    }
    assert_eq!((app.count("household").await, app.count("import_error").await), (4, 0));
}

#[tokio::test]
async fn rows_that_rules_warn_of_are_named_with_the_rules() {
    let app = TestApp::start().await;
    let (import, mut hq) = (new_request_id(), app.hq());
    let married_young = |order: u32| {
        let spouse = member("王小花", id_number("20080202", 2 * order + 2), v1::Relation::Spouse);
        household(VILLAGE, vec![couple(VILLAGE, order).members[0].clone(), spouse])
    };
    let messages = vec![options(&import), rows(1, vec![married_young(0), nowhere(1)]), rows(3, vec![married_young(2)])];
    let (answers, end) = send(&mut hq, messages).await;
    end.unwrap();
    let mut cut = couple(VILLAGE, 1);
    cut.bank_account = "6217003320000120000".to_owned();
    cut.members[1].id_number = "442000198202020000".to_owned();
    let warned = |status: &ImportStatus| -> Vec<(i64, Vec<(i32, String)>)> {
        let named = |warning: &RuleWarning| (warning.rule, warning.field.clone());
        status.warnings.iter().map(|warning| (warning.row, warning.rules.iter().map(named).collect())).collect()
    };
    let young = || vec![(105, String::new())];
    let of = |rule, field: &str| (rule, field.to_owned());
    let numbers = || vec![of(801, "bank_account"), of(802, "bank_account"), of(803, "members[1].id_number")];
    assert_eq!((warned(&answers[0]), warned(&answers[1])), (vec![(1, young())], vec![(3, young())]));
    let messages = vec![options(&import), rows(2, vec![cut])];
    send(&mut hq, messages).await.1.unwrap();
    let asked = status(&mut hq, &import).await.unwrap();
    let expected = vec![(1, young()), (2, numbers()), (3, young())];
    assert_eq!((asked.warned, warned(&asked)), (3, expected));
}

#[tokio::test]
async fn options_come_first_and_once() {
    let app = TestApp::start().await;
    for messages in [vec![rows(1, couples(0, 1))], vec![options(&new_request_id()), options(&new_request_id())], vec![]]
    {
        let (answers, end) = send(&mut app.hq(), messages).await;
        assert_eq!(
            (answers.len(), told(&end.unwrap_err())),
            (0, (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["options".to_owned()]))
        );
    }
    let refused = app.clients("village", VILLAGE).households.import_households(stream::iter([])).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
}
