//! No personal data outside its sealed columns: people who stand out are registered, imported, changed, looked up,
//! revealed, merged, put up on a notice, warned of and got wrong, all that says who somebody is is put into every text of every request, and
//! it is then looked for wherever data comes to rest. A process of its own, so that what
//! it logs is all that is logged.

mod contract;
#[path = "../it/drafts.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod drafts;
#[path = "../it/lives.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod lives;
#[path = "../it/made.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod made;
mod places;
#[path = "../it/support.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the other tests")]
mod support;

use std::fs;

use futures::stream;
use tempfile::TempDir;
use tongxin_platform::{
    personal::{mask_address, mask_bank_account, mask_id_number, mask_name, mask_phone},
    telemetry::{self, Telemetry, TelemetryConfig},
    testing::{TestWorld, eventually, servers},
};
use tongxin_proto::{
    batch::v1::ImportOptions,
    monitoring::v1::{
        CaseDraft, ChangeHouseholdRequest, DecideSignalRequest, Department, FindHouseholdsRequest, Health, Household,
        HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, ListSignalsRequest, MemberDraft,
        MergeHouseholdsRequest, Relation, RenderNoticeRequest, RevealHouseholdRequest, Risk, SetMemberRequest,
        SocialSupport, SubmitWarningsRequest, Warning, WarningOptions, WarningRows, import_households_request::Part,
        submit_warnings_request as warnings,
    },
};
use tonic::{Code, Status};

use crate::{
    drafts::{household, id_number, member},
    places::{Needles, Spans, dump, files},
    support::{COUNTY, Clients, OTHER_VILLAGE, TestApp, VILLAGE, date, new_request_id, now},
};

const NAME: &str = "柳金丝雀";
const CHILD: &str = "柳小金丝雀";
const IMPORTED: &str = "柳进口金丝雀";
const PHONE: &str = "13977665544";
const ADDRESS: &str = "金丝雀巷七百七十七号";
const NEW_ADDRESS: &str = "金丝雀新村八百八十八号";
const ACCOUNT: &str = "6217997777000055444";

/// ID numbers of the head, the child, the imported person; one with a wrong check digit; and that of somebody whom
/// only a department knows.
fn numbers() -> [String; 5] {
    let wrong = id_number("19631124", 779);
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    let wrong = wrong[..17].to_owned() + last;
    let unknown = id_number("19631126", 775);
    [id_number("19631122", 777), id_number("19991123", 778), id_number("19631125", 776), wrong, unknown]
}

fn canaries() -> Vec<String> {
    let texts = [NAME, CHILD, IMPORTED, PHONE, ADDRESS, NEW_ADDRESS, ACCOUNT].map(str::to_owned);
    let masked = [
        mask_phone(PHONE),
        mask_id_number(&numbers()[0]),
        mask_address(ADDRESS),
        mask_address(NEW_ADDRESS),
        mask_bank_account(ACCOUNT),
    ];
    [&texts[..], &numbers(), &[NAME, CHILD, IMPORTED].map(mask_name), &masked].concat()
}

fn head() -> MemberDraft {
    MemberDraft {
        phone: PHONE.to_owned(),
        health: vec![Health::SeriousIllness.into(), Health::Disabled.into()],
        ..member(NAME, &numbers()[0], Relation::Head)
    }
}

fn draft(region: &str, members: Vec<MemberDraft>) -> HouseholdDraft {
    HouseholdDraft { address: ADDRESS.to_owned(), bank_account: ACCOUNT.to_owned(), ..household(region, members) }
}

/// Telemetry as in production, except that it says all it can, to where it can be read.
async fn listen_in(folder: &TempDir, spans: &Spans) -> Telemetry {
    let config = TelemetryConfig {
        log: "trace".to_owned(),
        log_file: Some(folder.path().join("log")),
        log_file_bytes: u64::MAX,
        otlp_endpoint: Some(spans.collect().await.into()),
        ..TelemetryConfig::default()
    };
    telemetry::init("canary", &config).unwrap()
}

/// All that people do with a household.
async fn live(app: &TestApp) -> Household {
    let mut clerk = app.clients("village", VILLAGE);
    let registered = clerk.register(draft(VILLAGE, vec![head()])).await.unwrap();
    let set = SetMemberRequest {
        request_id: new_request_id(),
        household_id: registered.household_id.clone(),
        member: Some(member(CHILD, &numbers()[1], Relation::Child)),
        ..Default::default()
    };
    clerk.households.set_member(set).await.unwrap();
    let change = ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: registered.household_id.clone(),
        address: NEW_ADDRESS.to_owned(),
        bank_account: ACCOUNT.to_owned(),
        support: SocialSupport::Subsistence.into(),
        ..Default::default()
    };
    clerk.households.change_household(change).await.unwrap();
    let revealed = clerk.reveal(&registered.household_id).await.unwrap();
    assert_eq!((revealed.members[0].name.as_str(), revealed.address.as_str()), (NAME, NEW_ADDRESS));
    assert_eq!(clerk.by_id_number(&numbers()[0]).await, [registered.household_id.as_str()]);
    let by_name = FindHouseholdsRequest { name: NAME.to_owned(), ..Default::default() };
    assert_eq!(clerk.households.find_households(by_name).await.unwrap().into_inner().households.len(), 1);
    clerk.household(&registered.household_id).await.unwrap()
}

/// Imports a second record of the household, with a row that is wrong, and merges it into the first.
async fn import_and_merge(app: &TestApp, kept: &Household) -> Vec<Status> {
    let imported = member(IMPORTED, &numbers()[2], Relation::Head);
    let wrong = member(IMPORTED, &numbers()[3], Relation::Head);
    let rows = vec![draft(OTHER_VILLAGE, vec![imported]), draft(OTHER_VILLAGE, vec![wrong])];
    let options = ImportOptions { import_id: new_request_id(), dry_run: false };
    let parts = [Part::Options(options), Part::Rows(HouseholdRows { first_row: 1, rows })];
    let messages = parts.map(|part| ImportHouseholdsRequest { part: Some(part) });
    let answers = app.hq().households.import_households(stream::iter(messages)).await.unwrap();
    let status = answers.into_inner().message().await.unwrap().unwrap().status.unwrap();
    assert_eq!((status.accepted, status.refused), (1, 1));

    let second = app.hq().by_id_number(&numbers()[2]).await.remove(0);
    let second = app.hq().household(&second).await.unwrap();
    let merge = MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: kept.household_id.clone(),
        merged_id: second.household_id,
        take_members: vec![second.members[0].member_id.clone()],
        ..Default::default()
    };
    app.hq().households.merge_households(merge).await.unwrap();
    status.errors.into_iter().map(|error| Status::invalid_argument(format!("{error:?}"))).collect()
}

/// A case that a public notice is put up for, which names the head and nothing else of the household.
async fn put_up(app: &TestApp, household_id: &str) -> Vec<Status> {
    let mut clerk = app.hq();
    made::store(&mut clerk, lives::rule_set()).await.unwrap();
    lives::observed(app, household_id, "2024-05-31", 1_000).await;
    let draft = CaseDraft {
        risks: vec![Risk::Other.into()],
        risk_remark: "家中多人患病".to_owned(),
        ..lives::case(household_id)
    };
    let told_of_whom = CaseDraft { risk_remark: format!("{}患病", numbers()[0]), ..draft.clone() };
    let refused = clerk.open(told_of_whom).await.unwrap_err();
    let case = clerk.open(draft).await.unwrap().case_id;
    let until_notice = lives::track(&case, "2024-06-10").into_iter().take(5);
    clerk.take(until_notice.collect::<Vec<_>>()).await;
    let ask = RenderNoticeRequest { case_id: case };
    let notice = clerk.cases.render_notice(ask).await.unwrap().into_inner();
    assert!(format!("{notice:?}").contains(NAME), "{notice:?}");
    vec![refused]
}

/// Requests that are refused for all kinds of reasons, ours among them.
async fn go_wrong(app: &TestApp, household_id: &str) -> Vec<Status> {
    let mut clerk: Clients = app.hq();
    let mut refused = Vec::new();
    let wrong_members = [
        vec![MemberDraft { id_number: numbers()[3].clone(), ..head() }],
        vec![head(), head()],
        vec![head(), MemberDraft { relation: Relation::Head.into(), ..member(CHILD, &numbers()[1], Relation::Head) }],
        vec![MemberDraft { phone: format!("{PHONE} ext"), ..head() }],
        vec![MemberDraft { name: NAME.repeat(20), ..head() }],
        vec![MemberDraft { id_number: format!("{}9", numbers()[0]), ..head() }],
        vec![MemberDraft { health: vec![99], ..head() }],
    ];
    for members in wrong_members {
        refused.push(clerk.register(draft(VILLAGE, members)).await.unwrap_err());
    }
    for wrong in [
        HouseholdDraft { household_number: numbers()[0].clone(), ..draft(VILLAGE, vec![head()]) },
        HouseholdDraft { region_code: numbers()[0].clone(), ..draft(VILLAGE, vec![head()]) },
        HouseholdDraft { address: ADDRESS.repeat(30), ..draft(VILLAGE, vec![head()]) },
        HouseholdDraft { bank_account: format!("{ACCOUNT} {NAME}"), ..draft(VILLAGE, vec![head()]) },
    ] {
        refused.push(clerk.register(wrong).await.unwrap_err());
    }
    let reveal = |reference: &str| RevealHouseholdRequest {
        household_id: household_id.to_owned(),
        purpose: 1,
        reference: reference.to_owned(),
    };
    for reference in [numbers()[0].as_str(), PHONE, ACCOUNT, "139/7766/5544", NAME] {
        refused.push(clerk.households.reveal_household(reveal(reference)).await.unwrap_err());
    }
    let find = FindHouseholdsRequest { id_number: numbers()[3].clone(), ..Default::default() };
    refused.push(clerk.households.find_households(find).await.unwrap_err());
    for telling in [numbers()[0].as_str(), PHONE, ACCOUNT, "139 7766 5544", "１３９－７７６６－５５４４"] {
        let told_of_whom = CaseDraft { risk_remark: format!("联系{telling}"), ..lives::case(household_id) };
        refused.push(clerk.open(told_of_whom).await.unwrap_err());
        assert_eq!(support::told(refused.last().unwrap()).2, ["case.risk_remark"]);
    }

    // Faults of ours, with all that the database says about them.
    for (fault, end) in [
        ("REVOKE INSERT ON member FROM tongxin_app", "GRANT INSERT ON member TO tongxin_app"),
        (
            "ALTER TABLE member ADD CONSTRAINT no_room CHECK (false) NOT VALID",
            "ALTER TABLE member DROP CONSTRAINT no_room",
        ),
        (
            "ALTER TABLE household ADD CONSTRAINT no_room CHECK (false) NOT VALID",
            "ALTER TABLE household DROP CONSTRAINT no_room",
        ),
    ] {
        sqlx::query(fault).execute(&app.owner).await.unwrap();
        refused.push(clerk.register(draft(VILLAGE, vec![head()])).await.unwrap_err());
        assert_eq!(refused.last().unwrap().code(), Code::Internal);
        sqlx::query(end).execute(&app.owner).await.unwrap();
    }
    sqlx::query("UPDATE member SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)")
        .execute(&app.owner)
        .await
        .unwrap();
    refused.push(clerk.household(household_id).await.unwrap_err());
    sqlx::query("UPDATE member SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)")
        .execute(&app.owner)
        .await
        .unwrap();
    refused
}

/// A department warns of people, known ones and others, and gets it wrong.
async fn warn(app: &TestApp) -> Vec<Status> {
    let [known, .., wrong, unknown] = numbers();
    let warning = |id_number: &str, reference: &str| Warning {
        id_number: id_number.to_owned(),
        cause: Risk::Illness.into(),
        occurred_on: date("2025-06-10"),
        reference: reference.to_owned(),
        ..Default::default()
    };
    let rows = || {
        vec![
            warning(&known, "A-1"),
            warning(&unknown, "A-2"),
            warning(&wrong, "A-3"),
            warning(&known, &known),
            warning(&format!("{known}9"), "A-5"),
        ]
    };
    let submission = || {
        let options = WarningOptions { request_id: new_request_id(), department: Department::Health.into() };
        let parts = [warnings::Part::Options(options), warnings::Part::Rows(WarningRows { rows: rows() })];
        stream::iter(parts.map(|part| SubmitWarningsRequest { part: Some(part) }))
    };
    let mut department = app.department(Department::Health, COUNTY).signals;
    let answer = department.submit_warnings(submission()).await.unwrap().into_inner();
    assert_eq!((answer.received, answer.malformed), (2, 3));
    app.settled().await;
    let mut refused: Vec<_> =
        answer.errors.iter().map(|error| Status::invalid_argument(format!("{error:?}"))).collect();

    // A fault of ours, with all that the database says about it.
    let fault = "ALTER TABLE warning ADD CONSTRAINT no_room CHECK (reference <> 'A-2') NOT VALID";
    sqlx::query("UPDATE warning SET reference = 'B-' || reference").execute(&app.owner).await.unwrap();
    sqlx::query(fault).execute(&app.owner).await.unwrap();
    refused.push(department.submit_warnings(submission()).await.unwrap_err());
    assert_eq!(refused.last().unwrap().code(), Code::Internal);
    sqlx::query("ALTER TABLE warning DROP CONSTRAINT no_room").execute(&app.owner).await.unwrap();

    let (mut clerk, signals) = (app.hq().signals, ListSignalsRequest::default());
    let signal = clerk.list_signals(signals).await.unwrap().into_inner().signals.remove(0);
    let decision = DecideSignalRequest {
        request_id: new_request_id(),
        signal_id: signal.signal_id,
        reason: format!("本人{known}"),
        decided_on: date("2025-06-12"),
        ..Default::default()
    };
    refused.push(clerk.decide_signal(decision).await.unwrap_err());
    refused
}

async fn all_is_published(app: &TestApp) {
    let left = "SELECT (SELECT count(*) FROM event) - published_seq FROM log_head";
    let none_left = || async { sqlx::query_scalar::<_, i64>(left).fetch_one(&app.owner).await.unwrap() == 0 };
    eventually("all events are published", none_left).await;
}

/// The files of Postgres: tables, write-ahead log, and what it logs.
async fn files_of_postgres(app: &TestApp) -> Vec<u8> {
    sqlx::query("CHECKPOINT").execute(&app.owner).await.unwrap();
    let (cluster, database): (String, String) = sqlx::query_as(
        "SELECT current_setting('data_directory'), oid::text FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    let cluster = std::path::PathBuf::from(cluster);
    let log = fs::read(servers().await.postgres().data_dir().join("postgres.log")).unwrap();
    [files(&cluster.join("base").join(database)), files(&cluster.join("pg_wal")), log].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_data_comes_to_rest_outside_of_its_sealed_columns() {
    let (folder, spans) = (TempDir::new().unwrap(), Spans::default());
    let telemetry = listen_in(&folder, &spans).await;
    let mut world = TestWorld::at(now()).await;
    world.shared.registry = telemetry.registry();
    let app = TestApp::start_in(world).await;

    let household = live(&app).await;
    let row_errors = import_and_merge(&app, &household).await;
    let of_case = put_up(&app, &household.household_id).await;
    let asked = contract::every_text(&app, &household).await;
    asked.is_whole();
    let wrong = go_wrong(&app, &household.household_id).await;
    let errors = [row_errors, of_case, wrong, warn(&app).await, asked.told].concat();
    all_is_published(&app).await;

    let metrics = telemetry::render(&telemetry.registry());
    // What is left of spans leaves when telemetry ends.
    tokio::task::spawn_blocking(move || drop(telemetry)).await.unwrap();
    let told: Vec<String> =
        errors.iter().map(|status| format!("{status:?} {}", hex::encode(status.details()))).collect();
    let id = household.household_id.as_str();
    // Beside each place something that has to be there, or nothing would have been looked at.
    let places = [
        ("the tables", dump(&app.owner).await, id),
        ("the files of Postgres", files_of_postgres(&app).await, VILLAGE),
        ("the files of NATS", files(&servers().await.nats().store_dir()), id),
        ("the log", fs::read(folder.path().join("log")).unwrap(), "RevealHousehold"),
        ("the spans", spans.text(), "RevealHousehold"),
        ("the metrics", metrics.into_bytes(), "RevealHousehold"),
        ("what callers were told", told.join("\n").into_bytes(), "ID_NUMBER_INVALID"),
    ];
    let all = [canaries(), asked.canaries].concat();
    let (canaries, mut leaks) = (Needles::new(all.iter().map(String::as_str)), Vec::new());
    for (place, bytes, present) in &places {
        let looked_at = !Needles::new([*present]).found_in(bytes).is_empty();
        assert!(looked_at, "{place} were not looked at: {present} is not in their {} bytes", bytes.len());
        leaks.extend(canaries.found_in(bytes).into_iter().map(|canary| format!("{canary} in {place}")));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}
