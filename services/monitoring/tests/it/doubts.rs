//! What data-quality rules warn of where something is entered.

use futures::stream;
use tongxin_proto::{
    batch::v1::{BatchOptions, ImportOptions, RowWarning, RuleWarning},
    monitoring::v1::{
        self, MeasureFamily, Relation, Risk, Step, Work, batch_case_commands_request as batch, case_command::Command,
        import_households_request as households, import_observations_request as observations,
    },
};
use uuid::Uuid;

use crate::{
    drafts::{couple, household, id_number, id_number_of, member},
    lives::{at_risk, case, measure, refusal, start, step, track},
    made,
    support::{Clients, OTHER_VILLAGE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day, new_request_id},
};

const NONE: [i32; 0] = [];

impl Clients {
    async fn warned_at_opening(&mut self, case: v1::CaseDraft) -> Vec<i32> {
        let request = v1::OpenCaseRequest { request_id: new_request_id(), case: Some(case) };
        self.cases.open_case(request).await.unwrap().into_inner().warnings
    }

    async fn warned_at_step(&mut self, step: v1::StepRecord) -> Vec<i32> {
        let request = v1::RecordStepRequest { request_id: new_request_id(), step: Some(step) };
        self.cases.record_step(request).await.unwrap().into_inner().warnings
    }

    async fn warned_at_plan(&mut self, case_id: &str, measure: v1::MeasureDraft) -> (String, Vec<i32>) {
        let measure_id = Uuid::new_v4().to_string();
        let plan =
            v1::MeasurePlan { measure_id: measure_id.clone(), case_id: case_id.to_owned(), measure: Some(measure) };
        let request = v1::PlanMeasureRequest { request_id: new_request_id(), measure: Some(plan) };
        (measure_id, self.cases.plan_measure(request).await.unwrap().into_inner().warnings)
    }

    async fn warned_at_finish(&mut self, measure_id: &str, on: &str) -> Vec<i32> {
        let result = v1::MeasureResult {
            measure_id: measure_id.to_owned(),
            outcome: "已落实".to_owned(),
            finished_on: date(on),
            ..v1::MeasureResult::default()
        };
        let request = v1::FinishMeasureRequest { request_id: new_request_id(), result: Some(result) };
        self.cases.finish_measure(request).await.unwrap().into_inner().warnings
    }

    async fn warned_at_registration(&mut self, draft: v1::HouseholdDraft) -> Vec<i32> {
        let request = v1::RegisterHouseholdRequest { request_id: new_request_id(), household: Some(draft) };
        self.households.register_household(request).await.unwrap().into_inner().warnings
    }

    /// How many rows of an import are warned of.
    async fn warned_at_import(&mut self, rows: Vec<v1::HouseholdDraft>) -> i64 {
        let options = ImportOptions { import_id: new_request_id(), dry_run: false };
        let rows = v1::HouseholdRows { first_row: 1, rows };
        let parts = [households::Part::Options(options), households::Part::Rows(rows)];
        let messages = parts.map(|part| v1::ImportHouseholdsRequest { part: Some(part) });
        let answers = self.households.import_households(stream::iter(messages)).await.unwrap();
        answers.into_inner().message().await.unwrap().unwrap().status.unwrap().warned
    }
}

#[tokio::test]
async fn a_case_is_warned_of_when_it_is_opened_and_at_each_step() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    // Both of the couple can work, and neither is disabled, ill or at school.
    let risks = [Risk::Disability, Risk::Illness, Risk::Schooling, Risk::LackOfLabour].map(Into::into).to_vec();
    let draft = v1::CaseDraft { risks, ..case(&household) };
    assert_eq!(hq.warned_at_opening(draft.clone()).await, [601, 602, 603, 604]);
    let authorised = step(&draft.case_id, Step::Authorisation, day("2024-06-10"));
    assert_eq!(hq.warned_at_step(authorised).await, [601, 602, 603, 604]);
    let refused = refusal(step(&draft.case_id, Step::HomeVerification, day("2024-06-10")));
    assert_eq!(hq.warned_at_step(refused).await, NONE, "what was refused led to nothing");

    let housing = vec![Risk::Housing.into()];
    let sound = v1::CaseDraft { risks: housing.clone(), ..case(&at_risk(&app, 1).await) };
    assert_eq!(hq.warned_at_opening(sound).await, NONE);
    let other = v1::HouseholdDraft { lifted_from_poverty: false, ..couple(VILLAGE, 2) };
    let other = hq.register(other).await.unwrap().household_id;
    crate::lives::observed(&app, &other, "2024-05-31", 1_000_000).await;
    let never_poor = v1::CaseDraft { risks: housing, ..case(&other) };
    assert_eq!(hq.warned_at_opening(never_poor).await, [605]);
}

#[tokio::test]
async fn a_measure_is_warned_of_when_it_is_planned_and_when_it_ends() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let draft = v1::CaseDraft { risks: vec![Risk::Housing.into(), Risk::Water.into()], ..case(&household) };
    let id = hq.open(draft).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10")).await;
    let post = |risk, on| v1::MeasureDraft {
        family: MeasureFamily::PublicServicePost.into(),
        due_on: date("2024-09-30"),
        ..measure(risk, on)
    };
    let (first, warned) = hq.warned_at_plan(&id, post(Risk::Housing, "2024-08-01")).await;
    assert_eq!(warned, [701], "nothing is planned against the other risk after 30 days");
    let (second, warned) = hq.warned_at_plan(&id, post(Risk::Water, "2024-08-01")).await;
    assert_eq!(warned, NONE);
    assert_eq!(hq.warned_at_finish(&first, "2024-10-01").await, [702], "the other one is overdue");
    assert_eq!(hq.warned_at_finish(&second, "2024-10-02").await, [704], "a post was found, but nobody has one");
}

#[tokio::test]
async fn a_batch_names_its_rows_that_rules_warn_of() {
    let (app, household) = start().await;
    let draft = case(&household);
    let authorised = step(&draft.case_id, Step::Authorisation, day("2024-06-10"));
    let sound = v1::CaseDraft { risks: vec![Risk::Housing.into()], ..case(&at_risk(&app, 1).await) };
    let again = Command::OpenCase(sound.clone());
    let messages =
        [vec![Command::OpenCase(sound), Command::OpenCase(draft)], vec![again, Command::RecordStep(authorised)]];
    let options = BatchOptions { request_id: new_request_id(), all_or_nothing: false };
    let rows = messages.map(|rows| {
        let rows = rows.into_iter().map(|command| v1::CaseCommand { command: Some(command) }).collect();
        batch::Part::Rows(v1::CaseCommandRows { rows })
    });
    let parts = std::iter::once(batch::Part::Options(options)).chain(rows);
    let requests: Vec<_> = parts.map(|part| v1::BatchCaseCommandsRequest { part: Some(part) }).collect();
    let answer =
        app.hq().cases.batch_case_commands(stream::iter(requests)).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!((answer.accepted, answer.refused, answer.warned), (3, 1, 2));
    let warning = |row| RowWarning { row, rules: vec![RuleWarning::of(602)] };
    assert_eq!(answer.warnings, [warning(2), warning(4)]);
}

/// A worker alone with a job of ten months.
fn worker(order: u32) -> v1::HouseholdDraft {
    let head = member("张三丰", id_number("19800101", order), Relation::Head);
    household(VILLAGE, vec![v1::MemberDraft { work: Work::JobInCounty.into(), ..head }])
}

#[tokio::test]
async fn an_observation_is_compared_with_the_members_and_with_the_year_before() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let id = hq.register(worker(1)).await.unwrap().household_id;
    let idle = v1::MemberDraft {
        work: Work::None.into(),
        work_months: 0,
        ..member("王小花", id_number("19820202", 2), Relation::Head)
    };
    let idle = hq.register(household(VILLAGE, vec![idle])).await.unwrap().household_id;
    let on = |id: &str, window: &str, wages_fen| v1::ObservationDraft {
        window_ends_on: date(window),
        wages_fen,
        ..made::observation(id)
    };
    let unschooled = v1::ObservationDraft { schooling_guaranteed: false, ..on(&id, "2025-04-30", 0) };
    let unearned = v1::ObservationDraft { transfer_fen: 1_000_000, ..unschooled };
    for (stated, warned) in [
        (on(&id, "2024-05-31", 1_000_000), vec![]),
        (on(&id, "2025-05-31", 4_000_001), vec![408]),
        (on(&id, "2025-05-31", 4_000_000), vec![]),
        (unearned, vec![402, 502]),
        (on(&idle, "2025-05-31", 1), vec![403]),
    ] {
        assert_eq!(made::record(&mut hq, stated.clone()).await.unwrap().warnings, warned, "{stated:?}");
    }

    let other = hq.register(worker(3)).await.unwrap().household_id;
    let rows =
        vec![on(&other, "2024-05-31", 1_000_000), on(&other, "2025-05-31", 9_000_000), on(&idle, "2025-04-30", 1)];
    let options = ImportOptions { import_id: new_request_id(), dry_run: false };
    let rows = v1::ObservationRows { first_row: 1, rows };
    let parts = [observations::Part::Options(options), observations::Part::Rows(rows)];
    let messages = parts.map(|part| v1::ImportObservationsRequest { part: Some(part) });
    let answers = hq.observations.import_observations(stream::iter(messages)).await.unwrap();
    let status = answers.into_inner().message().await.unwrap().unwrap().status.unwrap();
    assert_eq!((status.accepted, status.warned), (3, 2), "of a later row than the one for the year before, too");
}

#[tokio::test]
async fn who_is_registered_in_another_household_is_warned_of_where_the_caller_sees_it() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    assert_eq!(hq.warned_at_registration(couple(VILLAGE_ELSEWHERE, 0)).await, NONE);
    let mut clerk = app.clients("village", VILLAGE);
    assert_eq!(clerk.warned_at_registration(couple(VILLAGE, 0)).await, NONE, "a clerk learns nothing of elsewhere");
    assert_eq!(clerk.warned_at_registration(couple(VILLAGE, 0)).await, [114]);
    assert_eq!(clerk.warned_at_registration(couple(VILLAGE, 1)).await, NONE);
    let lone = hq.register(worker(99)).await.unwrap();
    let set = v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: lone.household_id,
        member: Some(member("王小花", id_number("19820202", 2), Relation::Sibling)),
        ..v1::SetMemberRequest::default()
    };
    let set = app.clients("village", VILLAGE).households.set_member(set).await.unwrap().into_inner();
    assert_eq!(set.warnings, [114]);

    let rows = vec![couple(OTHER_VILLAGE, 0), couple(OTHER_VILLAGE, 7), couple(OTHER_VILLAGE, 8), couple(VILLAGE, 8)];
    assert_eq!(hq.warned_at_import(rows).await, 3, "of two in one message both");
}

#[tokio::test]
async fn an_id_number_of_a_place_that_is_retired_or_unknown_is_warned_of() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let born_in = |place: &str, order| {
        let number = id_number_of(place, "19700101", order);
        household(VILLAGE, vec![member("张三丰", number, Relation::Head)])
    };
    for (order, place, warned) in [
        (1, "441822", vec![115]),
        (2, "442626", vec![115]),
        (3, "999999", vec![115]),
        (4, "441802", vec![]),
        (5, "360426", vec![]),
    ] {
        assert_eq!(clerk.warned_at_registration(born_in(place, order)).await, warned, "{place}");
    }
    assert_eq!(app.hq().warned_at_import(vec![born_in("441827", 9), born_in("441881", 10)]).await, 1);
}

#[tokio::test]
async fn numbers_that_a_spreadsheet_cut_or_a_finger_mistyped_are_taken_with_a_warning() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let with_account = |order, account: &str| v1::HouseholdDraft {
        bank_account: account.to_owned(),
        ..household(VILLAGE, vec![member("张三丰", id_number("19700101", order), Relation::Head)])
    };
    for (order, account, warned) in [
        (1, "6217003320000120000", vec![801, 802]),
        (2, "6217003320000123456", vec![802]),
        (3, "6217003320000123458", vec![]),
        (4, "621700332001000", vec![]),
        (5, "44050110123400000012", vec![]),
    ] {
        assert_eq!(clerk.warned_at_registration(with_account(order, account)).await, warned, "{account}");
    }
    // Of order 900, with a check digit that is 0 by chance.
    let cut = household(VILLAGE, vec![member("赵丙", "441823199001029000", Relation::Head)]);
    assert_eq!(app.hq().warned_at_import(vec![cut.clone()]).await, 1);
    let registered = clerk.register(with_account(9, "")).await.unwrap();
    let change = v1::ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: registered.household_id,
        bank_account: "6217003320000123456".to_owned(),
        support: v1::SocialSupport::None.into(),
        ..Default::default()
    };
    let changed = clerk.households.change_household(change).await.unwrap().into_inner();
    assert_eq!(changed.warnings, [802]);
    assert_eq!(clerk.warned_at_registration(cut).await, [114, 803]);
}
