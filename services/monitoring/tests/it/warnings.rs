//! Warnings of departments: received or malformed, and never a word about whether the person is known.

use futures::{future::join, stream};
use prost::Message as _;
use tongxin_platform::{db::Scope, region::RegionCode};
use tongxin_proto::monitoring::v1::{
    self, Counted, Department, Relation, Risk, SignalKind, SignalState, submit_warnings_request::Part,
};
use tonic::{Code, Status};

use crate::{
    drafts::{couple, id_number, member},
    lives::{at_risk, case, observed, start, track},
    moves::move_to,
    signals::decision,
    support::{
        COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, new_request_id, told,
    },
};

/// A warning about somebody's illness.
pub fn warning(id_number: impl Into<String>, reference: &str, on: &str) -> v1::Warning {
    v1::Warning {
        id_number: id_number.into(),
        cause: Risk::Illness.into(),
        occurred_on: date(on),
        reference: reference.to_owned(),
        region_code: String::new(),
    }
}

pub fn requests(
    request_id: &str,
    department: Department,
    messages: Vec<Vec<v1::Warning>>,
) -> Vec<v1::SubmitWarningsRequest> {
    let options = v1::WarningOptions { request_id: request_id.to_owned(), department: department.into() };
    let rows = messages.into_iter().map(|rows| Part::Rows(v1::WarningRows { rows }));
    let parts = std::iter::once(Part::Options(options)).chain(rows);
    parts.map(|part| v1::SubmitWarningsRequest { part: Some(part) }).collect()
}

impl Clients {
    pub async fn submit(
        &mut self,
        requests: Vec<v1::SubmitWarningsRequest>,
    ) -> Result<v1::SubmitWarningsResponse, Status> {
        Ok(self.signals.submit_warnings(stream::iter(requests)).await?.into_inner())
    }

    /// Warns as the county's health department.
    pub async fn warn(&mut self, warnings: Vec<v1::Warning>) -> v1::SubmitWarningsResponse {
        self.submit(requests(&new_request_id(), Department::Health, vec![warnings])).await.unwrap()
    }
}

/// The ID number of the head of a couple of some order.
pub fn head_of(order: u32) -> String {
    id_number("19800101", 2 * order + 1)
}

/// Warnings that found their people, once all that came so far was looked at.
pub async fn matched(app: &TestApp) -> i64 {
    app.settled().await;
    sqlx::query_scalar("SELECT count(*) FROM warning WHERE signal_id IS NOT NULL").fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_warning_finds_the_household_of_the_person() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let mut department = app.department(Department::Health, COUNTY);
    let answer = department.warn(vec![warning(head_of(0).to_lowercase(), "A-1", "2025-06-10")]).await;
    assert_eq!((answer.received, answer.malformed), (1, 0));
    assert_eq!(matched(&app).await, 1);

    let of_household = v1::ListSignalsRequest { household_id: household, ..v1::ListSignalsRequest::default() };
    let (signals, _) = app.hq().signals_in(of_household).await;
    let [signal] = &signals[..] else { panic!("one signal: {signals:?}") };
    assert_eq!((signal.state(), signal.cause()), (SignalState::Open, Risk::Illness));
    let source = &signal.sources[0];
    assert_eq!(
        (source.kind(), source.department(), source.reported_on),
        (SignalKind::DepartmentWarning, Department::Health, date("2025-06-10"))
    );
    let received = app.events::<v1::WarningsReceived>().await;
    assert_eq!((received.len(), received[0].received, received[0].department()), (1, 1, Department::Health));
    for (counted, count) in [(Counted::OpenSignals, 1), (Counted::WarningSignals, 1), (Counted::WarningsIdentified, 0)]
    {
        assert_eq!(app.count_of(counted, VILLAGE, "2025-06-10").await, count, "{counted:?}");
        assert_eq!(app.count_of(counted, VILLAGE, "2025-06-09").await, 0, "{counted:?} before");
    }
    // Of a second department it is the same signal.
    let other = vec![vec![warning(head_of(0), "A-1", "2025-06-12")]];
    let mut insurance = app.department(Department::MedicalInsurance, COUNTY);
    insurance.submit(requests(&new_request_id(), Department::MedicalInsurance, other)).await.unwrap();
    assert_eq!(matched(&app).await, 2);
    assert_eq!((app.count("signal").await, app.count("signal_source").await), (1, 2));
    assert_eq!(app.count_of(Counted::WarningSignals, VILLAGE, "2025-06-30").await, 1);
}

#[tokio::test]
async fn the_answer_is_the_same_whether_or_not_the_person_is_known() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    app.registered(VILLAGE_ELSEWHERE, 1).await;
    let malformed =
        || vec![warning("110101202311012171", "M-1", "2025-06-10"), warning(head_of(9), "M-2", "2025-07-01")];
    let mut answers = Vec::new();
    // Known here, known in another county, and known nowhere; a malformed row besides.
    for (number, person) in [(1, head_of(0)), (2, head_of(1)), (3, head_of(2))] {
        let mut rows = vec![warning(person, &format!("S-{number}"), "2025-06-10")];
        rows.extend(malformed());
        let answer = app.department(Department::Health, COUNTY).warn(rows).await;
        answers.push(answer.encode_to_vec());
    }
    assert_eq!(matched(&app).await, 1, "one of them is known");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // Nor does what is kept of the answers tell.
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT DISTINCT answer FROM request WHERE part > 0 AND actor LIKE '%HEALTH@%'")
            .fetch_all(&app.owner)
            .await
            .unwrap();
    assert_eq!(kept.len(), 1);
    // And a department reads nothing that would.
    let mut department = app.department(Department::Health, COUNTY);
    let refused = department.signals.list_signals(v1::ListSignalsRequest::default()).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    let request = v1::FindHouseholdsRequest { id_number: head_of(0), ..v1::FindHouseholdsRequest::default() };
    let refused = department.households.find_households(request).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
}

#[tokio::test]
async fn a_malformed_warning_is_named_and_harms_no_other() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let good = v1::Warning { region_code: VILLAGE.to_owned(), ..warning(head_of(0), "A-1", "2025-06-10") };
    let first = vec![
        v1::Warning { id_number: "4418".to_owned(), ..good.clone() },
        v1::Warning { id_number: "441802199902300011".to_owned(), reference: "A-2".to_owned(), ..good.clone() },
        good.clone(),
    ];
    let second = vec![
        v1::Warning { occurred_on: date("2025-07-01"), reference: "A-3".to_owned(), ..good.clone() },
        v1::Warning { occurred_on: date("2024-06-01"), reference: "A-4".to_owned(), ..good.clone() },
        v1::Warning { occurred_on: None, reference: "A-5".to_owned(), ..good.clone() },
        v1::Warning { cause: 0, reference: "A-6".to_owned(), ..good.clone() },
        // It would be kept in plain.
        v1::Warning { reference: head_of(0), ..good.clone() },
        v1::Warning { reference: "A-7".to_owned(), region_code: VILLAGE_ELSEWHERE.to_owned(), ..good.clone() },
    ];
    let answer = app
        .department(Department::Health, COUNTY)
        .submit(requests(&new_request_id(), Department::Health, vec![first, second]))
        .await
        .unwrap();
    assert_eq!((answer.received, answer.malformed), (1, 8));
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!(
        errors,
        [
            (1, "INVALID_FIELDS", "id_number"),
            (2, "ID_NUMBER_INVALID", "id_number"),
            (4, "DATE_IN_FUTURE", "occurred_on"),
            (5, "HISTORY_NOT_ALLOWED", "occurred_on"),
            (6, "INVALID_FIELDS", "occurred_on"),
            (7, "INVALID_FIELDS", "cause"),
            (8, "INVALID_FIELDS", "reference"),
            (9, "WARNING_OUTSIDE_REGION", "region_code"),
        ]
    );
    let people = [head_of(0), "441802199902300011".to_owned()];
    assert!(answer.errors.iter().all(|error| people.iter().all(|person| !error.message.contains(person))));
    assert_eq!((app.count("warning").await, matched(&app).await), (1, 1));
}

#[tokio::test]
async fn options_come_first_and_once() {
    let app = TestApp::start().await;
    let mut department = app.department(Department::Health, COUNTY);
    let whole = requests(&new_request_id(), Department::Health, vec![vec![warning(head_of(0), "A-1", "2025-06-10")]]);
    let twice = vec![whole[0].clone(), whole[0].clone()];
    for messages in [vec![whole[1].clone()], twice, Vec::new()] {
        let error = department.submit(messages).await.unwrap_err();
        assert_eq!(told(&error), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["options".to_owned()]));
    }
    let mut county = app.clients("county", COUNTY);
    // Whoever is no department may not warn.
    assert_eq!(told(&county.submit(whole).await.unwrap_err()).1, "PERMISSION_MISSING");
    assert_eq!(app.count("warning").await, 0);
}

#[tokio::test]
async fn a_record_that_is_sent_twice_counts_once() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let mut department = app.department(Department::Health, COUNTY);
    let rows = vec![warning(head_of(0), "A-1", "2025-06-10"), warning(head_of(0), "A-1", "2025-06-10")];
    let answer = department.warn(rows.clone()).await;
    assert_eq!((answer.received, answer.malformed), (2, 0), "the sender is told what it sent");
    department.warn(rows).await;
    assert_eq!(matched(&app).await, 1);
    assert_eq!((app.count("warning").await, app.count("signal_source").await), (1, 1));
    let received: i64 = app.events::<v1::WarningsReceived>().await.iter().map(|event| event.received).sum();
    assert_eq!(received, 1);
}

/// What a message of warnings comes to: how many were received, and the rows that were not, each with the reason.
async fn sends(clients: &mut Clients, department: Department, rows: Vec<v1::Warning>) -> (i64, Vec<(i64, String)>) {
    let answer = clients.submit(requests(&new_request_id(), department, vec![rows])).await.unwrap();
    let errors: Vec<_> = answer.errors.into_iter().map(|error| (error.row, error.reason)).collect();
    assert_eq!(answer.malformed, i64::try_from(errors.len()).unwrap());
    (answer.received, errors)
}

#[tokio::test]
async fn a_reference_names_one_record_of_a_department_and_region() {
    let app = TestApp::start().await;
    for order in 0..4 {
        app.registered(VILLAGE, order).await;
    }
    let mut health = app.department(Department::Health, COUNTY);
    let mut send = async |rows: Vec<v1::Warning>| sends(&mut health, Department::Health, rows).await;
    let first = warning(head_of(0), "1", "2025-06-05");
    let reused = |rows: &[i64]| rows.iter().map(|row| (*row, "REFERENCE_REUSED".to_owned())).collect::<Vec<_>>();
    assert_eq!(send(vec![first.clone()]).await, (1, vec![]));
    // Another person, cause or day; nobody is told which.
    let other_person = warning(head_of(1), "1", "2025-06-05");
    let other_cause = v1::Warning { cause: Risk::Schooling.into(), ..first.clone() };
    let other_day = warning(head_of(0), "1", "2025-06-06");
    assert_eq!(send(vec![other_person, first.clone(), other_cause, other_day]).await, (1, reused(&[1, 3, 4])));
    // Within one message the first one has the reference.
    let two = vec![warning(head_of(2), "7", "2025-06-03"), warning(head_of(3), "7", "2025-06-03")];
    assert_eq!(send(two).await, (1, reused(&[2])));
    // The same again, whatever the case of the X and wherever the sender says that the person lives.
    let again = v1::Warning { region_code: VILLAGE.to_owned(), ..first.clone() };
    assert_eq!(send(vec![again.clone(), again]).await, (2, vec![]));
    assert_eq!((matched(&app).await, app.count("warning").await), (2, 2));
    let received: i64 = app.events::<v1::WarningsReceived>().await.iter().map(|event| event.received).sum();
    assert_eq!(received, 2);

    // Another department's reference, and one of another sender's region, are others.
    let of_water = vec![warning(head_of(1), "1", "2025-06-05")];
    let mut water = app.department(Department::Water, COUNTY);
    assert_eq!(sends(&mut water, Department::Water, of_water.clone()).await, (1, vec![]));
    let mut of_town = app.department(Department::Health, "441823107000");
    assert_eq!(sends(&mut of_town, Department::Health, of_water).await, (1, vec![]));
    assert_eq!((matched(&app).await, app.count("warning").await), (4, 4));
}

#[tokio::test]
async fn whether_a_reference_is_refused_does_not_depend_on_who_is_registered() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let mut health = app.department(Department::Health, COUNTY);
    let mut answers = Vec::new();
    // Known and unknown people, on either side.
    for (number, [one, other]) in [[0, 8], [8, 0], [8, 9], [0, 0]].into_iter().enumerate() {
        let reference = format!("S-{number}");
        health.warn(vec![warning(head_of(one), &reference, "2025-06-10")]).await;
        let day = if one == other { "2025-06-11" } else { "2025-06-10" };
        answers.push(health.warn(vec![warning(head_of(other), &reference, day)]).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((answers[0].received, answers[0].errors[0].reason.as_str()), (0, "REFERENCE_REUSED"));
    assert_eq!(answers[0].errors[0].field, "reference");
}

#[tokio::test]
async fn the_token_says_for_which_department_it_speaks() {
    let app = TestApp::start().await;
    let whole =
        |department| requests(&new_request_id(), department, vec![vec![warning(head_of(0), "A-1", "2025-06-10")]]);
    let health = whole(Department::Health);
    // By the name that we show, or the contract's.
    for word in ["health", "HEALTH", "DEPARTMENT_HEALTH"] {
        let mut clients = app.clients_with(&app.world.department_token(word, COUNTY));
        assert_eq!(clients.submit(whole(Department::Health)).await.unwrap().received, 1, "{word}");
        let refused = clients.submit(whole(Department::PublicSecurity)).await.unwrap_err();
        let mismatch =
            (Code::PermissionDenied, "DEPARTMENT_MISMATCH".to_owned(), vec!["options.department".to_owned()]);
        assert_eq!(told(&refused), mismatch);
    }
    let mut nobody = vec![app.clients("department", COUNTY)];
    for word in ["", "weather", "DEPARTMENT_UNSPECIFIED"] {
        nobody.push(app.clients_with(&app.world.department_token(word, COUNTY)));
    }
    for mut clients in nobody {
        let refused = clients.submit(health.clone()).await.unwrap_err();
        assert_eq!(told(&refused), (Code::PermissionDenied, "DEPARTMENT_MISSING".to_owned(), vec![]));
    }
    assert_eq!(app.count("warning").await, 1);
}

#[tokio::test]
async fn a_submission_that_is_repeated_is_carried_out_once() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let mut department = app.department(Department::Health, COUNTY);
    let messages = vec![vec![warning(head_of(0), "A-1", "2025-06-10")], vec![warning(head_of(1), "A-2", "2025-06-10")]];
    let submission = requests(&new_request_id(), Department::Health, messages.clone());
    let first = department.submit(submission.clone()).await.unwrap();
    let second = department.submit(submission.clone()).await.unwrap();
    assert_eq!(first, second);
    assert_eq!((app.count("warning").await, app.events::<v1::WarningsReceived>().await.len()), (2, 2));
    // Other rows are another submission.
    let Some(Part::Options(options)) = &submission[0].part else { panic!("options come first") };
    let others = vec![messages[1].clone()];
    let error = department.submit(requests(&options.request_id, Department::Health, others)).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
}

#[tokio::test]
async fn a_warning_is_matched_within_the_region_of_its_sender_only() {
    let app = TestApp::start().await;
    app.registered(VILLAGE_ELSEWHERE, 0).await;
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await;
    assert_eq!(matched(&app).await, 0);
    assert_eq!((app.count("warning").await, app.count("signal").await), (1, 0));
    app.department(Department::Health, OTHER_COUNTY).warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await;
    assert_eq!(matched(&app).await, 1);
    assert_eq!((app.count("warning").await, app.count("signal").await), (2, 1));
}

#[tokio::test]
async fn a_warning_waits_for_its_person_to_be_registered() {
    let app = TestApp::start().await;
    let newcomer = id_number("20240303", 77);
    let mut department = app.department(Department::Health, COUNTY);
    department
        .warn(vec![warning(head_of(0), "A-1", "2025-06-10"), warning(newcomer.clone(), "A-2", "2025-06-11")])
        .await;
    assert_eq!(matched(&app).await, 0);
    assert_eq!((app.count("warning").await, app.count("signal").await), (2, 0));

    // In another county it is not meant.
    let foreign = v1::HouseholdDraft { members: couple(VILLAGE, 0).members, ..couple(VILLAGE_ELSEWHERE, 0) };
    app.hq().register(foreign).await.unwrap();
    assert_eq!((matched(&app).await, app.count("signal").await), (0, 0));
    // A village clerk, who sees no warnings, registers the person.
    let mut village = app.clients("village", VILLAGE);
    let household = village.register(couple(VILLAGE, 0)).await.unwrap().household_id;
    assert_eq!((matched(&app).await, app.count("signal").await), (1, 1));
    let (signals, _) = village.signals_in(v1::ListSignalsRequest::default()).await;
    assert_eq!((signals[0].household_id.as_str(), signals[0].sources.len()), (household.as_str(), 1));
    assert_eq!(app.count_of(Counted::WarningSignals, VILLAGE, "2025-06-10").await, 1);

    // And a member who is added later.
    let mut draft = member("张小宝", newcomer, Relation::Child);
    (draft.labour, draft.work, draft.work_months) = (v1::LabourAbility::None.into(), v1::Work::None.into(), 0);
    draft.schooling = v1::Schooling::BeforeSchool.into();
    let request = v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: household,
        member_id: String::new(),
        member: Some(draft),
        expected_version: 0,
    };
    village.households.set_member(request).await.unwrap();
    assert_eq!(matched(&app).await, 2);
    let (signals, _) = village.signals_in(v1::ListSignalsRequest::default()).await;
    assert_eq!((signals.len(), signals[0].sources.len()), (1, 2), "of one household and cause");
}

#[tokio::test]
async fn a_person_who_is_registered_while_warnings_come_in_is_found() {
    let app = TestApp::start().await;
    for order in 0..12 {
        let (mut village, mut department) =
            (app.clients("village", VILLAGE), app.department(Department::Health, COUNTY));
        let rows = vec![warning(head_of(order), &format!("A-{order}"), "2025-06-10")];
        let (registered, _) = join(village.register(couple(VILLAGE, order)), department.warn(rows)).await;
        registered.unwrap();
        assert_eq!(matched(&app).await, i64::from(order) + 1, "either sees the other");
    }
}

#[tokio::test]
async fn a_member_who_is_added_while_warnings_come_in_is_found() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    for order in 1..12 {
        let (mut village, mut department) =
            (app.clients("village", VILLAGE), app.department(Department::Health, COUNTY));
        let number = id_number("19700101", order);
        let request = v1::SetMemberRequest {
            request_id: new_request_id(),
            household_id: household.clone(),
            member: Some(member("王大山", number.clone(), Relation::Sibling)),
            ..v1::SetMemberRequest::default()
        };
        // One warning of whom the household has already: both hold it.
        let rows = vec![
            warning(head_of(0), &format!("A-{order}"), "2025-06-10"),
            warning(number, &format!("B-{order}"), "2025-06-10"),
        ];
        let (set, _) = join(village.households.set_member(request), department.warn(rows)).await;
        set.unwrap();
        assert_eq!(matched(&app).await, 2 * i64::from(order), "either sees the other");
    }
}

#[tokio::test]
async fn a_warning_finds_its_person_who_moves_to_where_it_was_sent() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE_ELSEWHERE, 0).await.household_id;
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await;
    assert_eq!(matched(&app).await, 0);
    move_to(&mut app.hq(), &household, VILLAGE, "2025-06-30").await.unwrap();
    assert_eq!(matched(&app).await, 1);
    let (signals, _) = app.clients("village", VILLAGE).signals_in(v1::ListSignalsRequest::default()).await;
    assert_eq!((signals.len(), signals[0].household_id.as_str()), (1, household.as_str()));
    assert_eq!(signals[0].sources[0].kind(), SignalKind::DepartmentWarning);
}

#[tokio::test]
async fn what_is_kept_of_a_warning_is_sealed() {
    let app = TestApp::start().await;
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await;
    let (data_key, sealed, row): (Vec<u8>, Vec<u8>, String) =
        sqlx::query_as("SELECT data_key, sealed, warning::text FROM warning").fetch_one(&app.owner).await.unwrap();
    // Header, nonce and tag are 34 bytes; a wrapped key of 32 has a header of its own.
    assert_eq!((sealed.len(), data_key.len()), (18 + 34, 38 + 34));
    let number = head_of(0);
    assert!(!row.contains(&number) && !row.contains(&hex::encode(&number)), "{row}");
    // Nobody but the sender's region sees it, and no village does.
    for (region, seen) in [(COUNTY, 1_i64), (VILLAGE, 0), (OTHER_VILLAGE, 0), (OTHER_COUNTY, 0)] {
        let mut tx = Scope::region(RegionCode::parse(region).unwrap()).read(&app.owner).await.unwrap();
        sqlx::query("SET LOCAL ROLE tongxin_app").execute(&mut *tx).await.unwrap();
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM warning").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(count, seen, "{region}");
    }
}

#[tokio::test]
async fn a_warning_that_leads_to_an_identified_household_was_precise() {
    let (app, _) = start().await;
    let mut hq = app.hq();
    let household = at_risk(&app, 1).await;
    observed(&app, &household, "2025-05-31", 1_000_000).await;
    let rows = vec![warning(head_of(1), "A-1", "2025-05-20"), warning(head_of(50), "A-2", "2025-05-20")];
    app.department(Department::Health, COUNTY).warn(rows).await;
    assert_eq!(matched(&app).await, 1);
    // A rule found it poor, too, which is another cause.
    let of_household = v1::ListSignalsRequest { household_id: household.clone(), ..v1::ListSignalsRequest::default() };
    let (signals, _) = hq.signals_in(of_household).await;
    let id = signals.iter().find(|signal| signal.cause() == Risk::Illness).unwrap().signal_id.clone();
    hq.decide(decision(&id, true, "2025-05-25")).await.unwrap();
    let draft = v1::CaseDraft { signal_ids: vec![id], opened_on: date("2025-06-01"), ..case(&household) };
    let opened = hq.open(draft).await.unwrap();
    assert_eq!(app.count_of(Counted::WarningsIdentified, VILLAGE, "2025-06-30").await, 0);
    hq.take(track(&opened.case_id, "2025-06-01")).await;
    for (on, identified) in [("2025-06-05", 0), ("2025-06-06", 1)] {
        assert_eq!(app.count_of(Counted::WarningsIdentified, VILLAGE, on).await, identified, "{on}");
    }
    let period = (date("2025-05-20"), date("2025-05-20"));
    let request = v1::GetFunnelRequest { region_code: COUNTY.to_owned(), from: period.0, until: period.1 };
    let funnel = hq.signals.get_funnel(request).await.unwrap().into_inner();
    let [row] = &funnel.rows[..] else { panic!("one row: {funnel:?}") };
    assert_eq!((row.department(), row.warnings), (Department::Health, 2));
    assert_eq!((row.signals, row.identified, row.precision), (1, 1, 10_000));
}
