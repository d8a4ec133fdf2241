//! Many commands about cases at once, as towns enter them that were offline.

use futures::stream;
use tongxin_proto::{
    batch::v1::{BatchOptions, Outcome},
    monitoring::v1::{
        self, CaseCommand, CaseCommandRows, Counted, RemovalKind, Risk, Stage, Step, batch_case_commands_request::Part,
        case_command::Command,
    },
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    lives::{at_risk, case, measure, removal, start, step, track},
    signals::decision,
    support::{Clients, TOWN, VILLAGE, date, day, new_request_id, told},
};

fn open(draft: v1::CaseDraft) -> CaseCommand {
    CaseCommand { command: Some(Command::OpenCase(draft)) }
}

fn take(record: v1::StepRecord) -> CaseCommand {
    CaseCommand { command: Some(Command::RecordStep(record)) }
}

fn propose(removal: v1::RemovalProposal) -> CaseCommand {
    CaseCommand { command: Some(Command::ProposeRemoval(removal)) }
}

fn plan(measure_id: &str, case_id: &str, measure: v1::MeasureDraft) -> CaseCommand {
    let plan =
        v1::MeasurePlan { measure_id: measure_id.to_owned(), case_id: case_id.to_owned(), measure: Some(measure) };
    CaseCommand { command: Some(Command::PlanMeasure(plan)) }
}

fn finish(measure_id: &str, on: &str) -> CaseCommand {
    let result = v1::MeasureResult {
        measure_id: measure_id.to_owned(),
        cancelled: false,
        outcome: "已落实".to_owned(),
        finished_on: date(on),
        spent_fen: 1,
    };
    CaseCommand { command: Some(Command::FinishMeasure(result)) }
}

async fn send(
    clients: &mut Clients,
    request_id: &str,
    all_or_nothing: bool,
    messages: Vec<Vec<CaseCommand>>,
) -> Result<Outcome, Status> {
    let options = Part::Options(BatchOptions { request_id: request_id.to_owned(), all_or_nothing });
    let rows = messages.into_iter().map(|rows| Part::Rows(CaseCommandRows { rows }));
    let parts: Vec<_> = std::iter::once(options).chain(rows).collect();
    let requests: Vec<_> = parts.into_iter().map(|part| v1::BatchCaseCommandsRequest { part: Some(part) }).collect();
    Ok(clients.cases.batch_case_commands(stream::iter(requests)).await?.into_inner().outcome.unwrap())
}

/// A whole life, from the opening to the removal: 23 commands.
fn life(draft: v1::CaseDraft) -> Vec<CaseCommand> {
    let id = draft.case_id.clone();
    let measures = [Risk::Illness, Risk::Housing].map(|risk| (risk, Uuid::new_v4().to_string()));
    let helped = measures.iter().flat_map(|(risk, measure_id)| {
        [plan(measure_id, &id, measure(*risk, "2024-07-01")), finish(measure_id, "2025-01-01")]
    });
    let mut commands = vec![open(draft)];
    commands.extend(track(&id, "2024-06-10").into_iter().map(take));
    commands.extend(helped);
    commands.push(propose(removal(&id, RemovalKind::Assisted, "2025-06-10")));
    commands.extend(track(&id, "2025-06-10").into_iter().map(take));
    commands
}

fn reasons(answer: &Outcome) -> Vec<(i64, &str)> {
    answer.errors.iter().map(|error| (error.row, error.reason.as_str())).collect()
}

#[tokio::test]
async fn whole_lives_are_led_in_one_batch_as_one_by_one() {
    let (app, one) = start().await;
    let other = at_risk(&app, 1).await;
    let (one, other) = (case(&one), case(&other));
    let mut hq = app.hq();
    let commands = life(one.clone());
    let answer = send(&mut hq, &new_request_id(), false, vec![commands]).await.unwrap();
    assert_eq!((answer.accepted, answer.refused, reasons(&answer)), (22, 0, vec![]));
    // The same over several messages, cut anywhere.
    let commands = life(other.clone());
    let messages = commands.chunks(5).map(<[CaseCommand]>::to_vec).collect();
    assert_eq!(send(&mut hq, &new_request_id(), false, messages).await.unwrap().accepted, 22);

    let (one, other) = (hq.case(&one.case_id).await.unwrap(), hq.case(&other.case_id).await.unwrap());
    assert_eq!((one.stage(), one.version, one.measures.len()), (Stage::Removed, 18, 2));
    assert_eq!(other.history, one.history);
    for (counted, count) in
        [(Counted::UnderMonitoring, 0), (Counted::Identified, 2), (Counted::Removed, 2), (Counted::OverdueSteps, 0)]
    {
        assert_eq!(app.count_of(counted, VILLAGE, "2025-06-30").await, count, "{counted:?}");
    }
    assert_eq!(app.events::<v1::CaseStepRecorded>().await.len(), 32);
}

#[tokio::test]
async fn a_command_that_fails_stops_its_case_and_no_other() {
    let (app, household) = start().await;
    let other = at_risk(&app, 1).await;
    let (one, other) = (case(&household), case(&other));
    let of = |draft: &v1::CaseDraft, of, on: &str| take(step(&draft.case_id, of, day(on)));
    let nameless =
        v1::StepRecord { occurred_on: None, ..step(&other.case_id, Step::HomeVerification, day("2024-06-10")) };
    let unplanned = Uuid::new_v4().to_string();
    let messages = vec![
        vec![
            open(one.clone()),
            open(other.clone()),
            of(&one, Step::Authorisation, "2024-06-10"),
            // A step is skipped.
            of(&one, Step::DataComparison, "2024-06-10"),
            of(&other, Step::Authorisation, "2024-06-10"),
            of(&one, Step::HomeVerification, "2024-06-10"),
            plan(&unplanned, &one.case_id, measure(Risk::Illness, "2024-07-01")),
            finish(&unplanned, "2024-08-01"),
        ],
        vec![
            of(&one, Step::HomeVerification, "2024-06-10"),
            finish(&unplanned, "2024-08-01"),
            // The fields of a command are checked by themselves.
            take(nameless),
            of(&other, Step::HomeVerification, "2024-06-10"),
            CaseCommand::default(),
        ],
        vec![of(&other, Step::HomeVerification, "2024-06-10")],
    ];
    let mut hq = app.hq();
    let request_id = new_request_id();
    let answer = send(&mut hq, &request_id, false, messages.clone()).await.unwrap();
    let expected = [
        (4, "STEP_OUT_OF_ORDER"),
        (6, "CASE_FAILED_BEFORE"),
        (7, "CASE_FAILED_BEFORE"),
        (8, "CASE_FAILED_BEFORE"),
        (9, "CASE_FAILED_BEFORE"),
        (10, "CASE_FAILED_BEFORE"),
        (11, "INVALID_FIELDS"),
        (12, "CASE_FAILED_BEFORE"),
        (13, "INVALID_FIELDS"),
        (14, "CASE_FAILED_BEFORE"),
    ];
    assert_eq!(reasons(&answer), expected);
    assert_eq!((answer.accepted, answer.refused), (4, 10));
    assert_eq!(answer.errors[6].field, "record_step.occurred_on");
    assert_eq!(hq.case(&one.case_id).await.unwrap().next_step(), Step::HomeVerification);
    assert_eq!(hq.case(&other.case_id).await.unwrap().next_step(), Step::HomeVerification);
    let before = app.all_of_cases().await;

    // Sent again it says the same, and in a batch of its own a case goes on.
    assert_eq!(send(&mut hq, &request_id, false, messages).await.unwrap(), answer);
    assert_eq!(app.all_of_cases().await, before);
    let next = vec![vec![of(&one, Step::HomeVerification, "2024-06-10")]];
    assert_eq!(send(&mut hq, &new_request_id(), false, next).await.unwrap().accepted, 1);
}

#[tokio::test]
async fn a_case_that_was_not_opened_has_no_steps() {
    let (app, household) = start().await;
    let draft = v1::CaseDraft { category: "hardship".to_owned(), ..case(&household) };
    let commands = vec![open(draft.clone()), take(step(&draft.case_id, Step::Authorisation, day("2024-06-10")))];
    let answer = send(&mut app.hq(), &new_request_id(), false, vec![commands]).await.unwrap();
    assert_eq!(reasons(&answer), [(1, "CATEGORY_NOT_MET"), (2, "CASE_FAILED_BEFORE")]);
    assert_eq!(app.count("cases").await, 0);
}

#[tokio::test]
async fn a_measure_that_fails_stops_its_case_in_later_messages() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let planned = hq.plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap().measure_id;
    let messages =
        vec![vec![finish(&planned, "2024-06-01")], vec![propose(removal(&id, RemovalKind::Natural, "2025-06-10"))]];
    let answer = send(&mut hq, &new_request_id(), false, messages).await.unwrap();
    assert_eq!(reasons(&answer), [(1, "DATE_ORDER"), (2, "CASE_FAILED_BEFORE")]);
}

#[tokio::test]
async fn all_or_nothing_leaves_nothing_when_a_command_fails() {
    let (app, household) = start().await;
    let draft = case(&household);
    let mut commands = life(draft.clone());
    commands.push(take(step(&draft.case_id, Step::Authorisation, day("2025-06-20"))));
    let before = app.all_of_cases().await;
    let messages: Vec<_> = commands.chunks(10).map(<[CaseCommand]>::to_vec).collect();
    let refused = send(&mut app.hq(), &new_request_id(), true, messages).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "BATCH_REFUSED"));
    assert!(refused.message().contains("row 23"), "{}", refused.message());
    assert_eq!(app.all_of_cases().await, before);

    commands.pop();
    let messages: Vec<_> = commands.chunks(10).map(<[CaseCommand]>::to_vec).collect();
    assert_eq!(send(&mut app.hq(), &new_request_id(), true, messages).await.unwrap().accepted, 22);
}

#[tokio::test]
async fn a_batch_takes_what_its_caller_may() {
    let (app, household) = start().await;
    let id = app.hq().open(case(&household)).await.unwrap().case_id;
    app.hq().take(track(&id, "2024-06-10").into_iter().take(7)).await;
    let own = v1::StepRecord { performed_by: String::new(), ..step(&id, Step::CountyApproval, day("2025-06-10")) };
    let commands = vec![vec![take(own)]];
    let answer = send(&mut app.clients("town", TOWN), &new_request_id(), false, commands).await.unwrap();
    assert_eq!(reasons(&answer), [(1, "STEP_NOT_ALLOWED")]);
}

#[tokio::test]
async fn households_close_a_case_and_open_the_next_in_one_message() {
    let (app, household) = start().await;
    let (first, second) = (case(&household), v1::CaseDraft { opened_on: date("2024-06-12"), ..case(&household) });
    let refusal = crate::lives::refusal(step(&first.case_id, Step::Authorisation, day("2024-06-11")));
    let mut hq = app.hq();
    hq.open(first.clone()).await.unwrap();
    let third = v1::CaseDraft { opened_on: date("2024-06-12"), ..case(&household) };
    let commands = vec![take(refusal), open(second.clone()), open(third)];
    let answer = send(&mut hq, &new_request_id(), false, vec![commands]).await.unwrap();
    assert_eq!(reasons(&answer), [(3, "HOUSEHOLD_HAS_CASE")]);
    assert_eq!(hq.case(&first.case_id).await.unwrap().stage(), Stage::Refused);
    assert_eq!(hq.case(&second.case_id).await.unwrap().stage(), Stage::Identifying);
}

#[tokio::test]
async fn a_signal_that_does_not_wait_for_a_case_refuses_its_own_row() {
    let (app, household) = start().await;
    let (theirs, other) = (at_risk(&app, 1).await, at_risk(&app, 2).await);
    let mut ids = Vec::new();
    for (household, state) in [(&household, "open"), (&theirs, "verified")] {
        let query = format!(
            "INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, decided_on,
                 version)
             VALUES ($1, $2, 441823107201, 'water', '{state}', '2024-06-01', '',
                 CASE '{state}' WHEN 'open' THEN NULL ELSE date '2024-06-02' END, 1)"
        );
        let id = Uuid::new_v4();
        let insert = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).bind(Uuid::parse_str(household).unwrap());
        insert.execute(&app.owner).await.unwrap();
        ids.push(id.to_string());
    }
    let with = |household: &str, signal: &String| v1::CaseDraft { signal_ids: vec![signal.clone()], ..case(household) };
    let commands = vec![
        open(with(&household, &ids[0])),
        open(with(&household, &ids[1])),
        open(with(&theirs, &ids[1])),
        open(case(&other)),
    ];
    let answer = send(&mut app.hq(), &new_request_id(), false, vec![commands]).await.unwrap();
    assert_eq!(reasons(&answer), [(1, "SIGNAL_NOT_VERIFIED"), (2, "SIGNAL_NOT_FOUND")]);
    assert_eq!((answer.accepted, app.count("cases").await), (2, 2));
}

#[tokio::test]
async fn a_signal_leads_to_one_case_of_a_batch() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let signal = hq.sweep(&household, Risk::Water, "2024-06-01").await.signal_id;
    hq.decide(decision(&signal, true, "2024-06-02")).await.unwrap();
    let first = v1::CaseDraft { signal_ids: vec![signal.clone()], ..case(&household) };
    let second = v1::CaseDraft { opened_on: date("2024-06-12"), ..first.clone() };
    let second = v1::CaseDraft { case_id: case(&household).case_id, ..second };
    let closed = crate::lives::refusal(step(&first.case_id, Step::Authorisation, day("2024-06-11")));
    let commands = vec![open(first.clone()), take(closed), open(second)];
    let answer = send(&mut hq, &new_request_id(), false, vec![commands]).await.unwrap();
    assert_eq!(reasons(&answer), [(3, "SIGNAL_NOT_VERIFIED")]);
    assert_eq!(hq.signal(&signal).await.unwrap().case_id, first.case_id);
}
