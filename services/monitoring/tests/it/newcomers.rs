//! Whatever moved with a household goes on in its new place: those who answer for that place alone carry on with all of it,
//! though they see nothing of what was before.

use std::collections::BTreeSet;

use tongxin_proto::{
    POOL,
    batch::v1::BatchOptions,
    monitoring::v1::{self, CaseCommand, CaseCommandRows, RemovalKind, Risk, SignalKind, Step, case_command::Command},
};
use tonic::Status;

use crate::{
    drafts::{id_number, member},
    lives::{at_risk, case, measure, observed, removal, start, step, track},
    made,
    moves::move_to,
    signals::{decision, report},
    support::{Clients, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day, new_request_id},
};

/// What changes nothing that could have moved: rules of regions, incomes of villages, and what a department or a file states
/// anew.
const ABOUT_NOTHING_THAT_MOVES: [&str; 6] =
    ["StoreRuleSet", "SetHolidays", "RecordVillageIncome", "SubmitWarnings", "ImportHouseholds", "ImportObservations"];

/// Every method that changes something: it takes a request's identifier or a stream.
fn changing_methods() -> BTreeSet<String> {
    let changes = |method: &prost_reflect::MethodDescriptor| {
        method.is_client_streaming() || method.input().get_field_by_name("request_id").is_some()
    };
    let services = POOL.services().filter(|service| service.package_name() == "tongxin.monitoring.v1");
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .filter(changes)
        .map(|m| m.name().to_owned())
        .collect()
}

/// Households at each stage, all made in one village.
struct Moved {
    monitored: String,
    monitored_case: String,
    measures: [String; 2],
    removing_case: String,
    removed_case: String,
    identifying_case: String,
    signalled: String,
    signals: [String; 2],
    merged_into: String,
    merge: String,
}

async fn made_and_moved(app: &TestApp, monitored: String, to: &str) -> Moved {
    let mut hq = app.hq();
    let mut others = Vec::new();
    for order in 1..=6 {
        others.push(at_risk(app, order).await);
    }
    let [removing, removed, identifying, signalled, merged_into, merged] = others.try_into().unwrap();
    let monitored_case = hq.monitored(&monitored).await.case_id;
    let mut measures = Vec::new();
    for risk in [Risk::Illness, Risk::Housing] {
        measures.push(hq.plan(&monitored_case, measure(risk, "2024-07-01")).await.unwrap().measure_id);
    }
    let removing_case = hq.monitored(&removing).await.case_id;
    hq.propose(removal(&removing_case, RemovalKind::Natural, "2025-06-10")).await.unwrap();
    let removed_case = hq.removed(&removed).await.case_id;
    let identifying_case = hq.open(case(&identifying)).await.unwrap().case_id;
    observed(app, &signalled, "2025-05-31", 1_000_000).await;
    let mut signals = Vec::new();
    for cause in [Risk::Illness, Risk::Housing] {
        signals.push(hq.sweep(&signalled, cause, "2025-06-20").await.signal_id);
    }
    let merge = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: merged_into.clone(),
        merged_id: merged.clone(),
        ..v1::MergeHouseholdsRequest::default()
    };
    let merge = hq.households.merge_households(merge).await.unwrap().into_inner().merge.unwrap().merge_id;
    // They were registered today, and move earlier.
    sqlx::query("UPDATE household SET registered_on = '2021-01-01'").execute(&app.owner).await.unwrap();
    for household in [&monitored, &removing, &removed, &identifying, &signalled, &merged_into] {
        move_to(&mut hq, household, to, "2025-06-25").await.unwrap();
    }
    Moved {
        monitored,
        monitored_case,
        measures: measures.try_into().unwrap(),
        removing_case,
        removed_case,
        identifying_case,
        signalled,
        signals: signals.try_into().unwrap(),
        merged_into,
        merge,
    }
}

/// What was carried out, by the names of the methods.
struct Carried(BTreeSet<String>);

impl Carried {
    fn out<T>(&mut self, method: &str, outcome: Result<T, Status>) -> T {
        self.0.insert(method.to_owned());
        outcome.unwrap_or_else(|status| panic!("{method}: {status:?}"))
    }
}

async fn of_the_case(place: &mut Clients, moved: &Moved, carried: &mut Carried) {
    let on = "2025-06-26";
    carried.out("FinishMeasure", place.finish(&moved.measures[0], on, false).await);
    carried.out("FinishMeasure", place.finish(&moved.measures[1], on, true).await);
    carried.out("PlanMeasure", place.plan(&moved.monitored_case, measure(Risk::Housing, on)).await);
    carried.out("ProposeRemoval", place.propose(removal(&moved.monitored_case, RemovalKind::Natural, on)).await);
    carried.out("RecordStep", place.step(step(&moved.removing_case, Step::Authorisation, day(on))).await);
    carried.out("RollBackRemoval", place.roll_back(&moved.removed_case, on).await);
    let taken =
        CaseCommand { command: Some(Command::RecordStep(step(&moved.identifying_case, Step::Authorisation, day(on)))) };
    let options = BatchOptions { request_id: new_request_id(), all_or_nothing: true };
    let parts = [
        v1::batch_case_commands_request::Part::Options(options),
        v1::batch_case_commands_request::Part::Rows(CaseCommandRows { rows: vec![taken] }),
    ];
    let requests = parts.map(|part| v1::BatchCaseCommandsRequest { part: Some(part) });
    let batch = place.cases.batch_case_commands(futures::stream::iter(requests)).await.map(tonic::Response::into_inner);
    let batch = carried.out("BatchCaseCommands", batch).outcome.unwrap();
    assert_eq!((batch.accepted, batch.refused), (1, 0), "{batch:?}");
}

async fn of_signals(place: &mut Clients, moved: &Moved, carried: &mut Carried) {
    let on = "2025-06-26";
    let [illness, housing] = &moved.signals;
    let joined = report(&moved.signalled, SignalKind::SelfReport, Risk::Illness, on);
    let joined = carried.out("ReportSignal", place.signals.report_signal(joined).await).into_inner().signal.unwrap();
    assert_eq!(&joined.signal_id, illness, "it is the signal that moved");
    carried.out("DecideSignal", place.decide(decision(illness, true, on)).await);
    carried.out("DecideSignal", place.decide(decision(housing, false, on)).await);
    let opened = v1::CaseDraft { opened_on: date(on), signal_ids: vec![illness.clone()], ..case(&moved.signalled) };
    let opened = carried.out("OpenCase", place.open(opened).await);
    assert_eq!(opened.signal_ids, [illness.as_str()]);
    let screening = v1::ScreenHouseholdsRequest {
        request_id: new_request_id(),
        region_code: place.household(&moved.signalled).await.unwrap().region_code,
    };
    let screened = place.rules.screen_households(screening).await.map(tonic::Response::into_inner);
    let mut answers = carried.out("ScreenHouseholds", screened);
    while carried.out("ScreenHouseholds", answers.message().await).is_some() {}
}

async fn of_the_household(place: &mut Clients, moved: &Moved, carried: &mut Carried) {
    let id = &moved.monitored;
    let change = v1::ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: id.clone(),
        address: "新村3号".to_owned(),
        support: v1::SocialSupport::None.into(),
        expected_version: 0,
        ..v1::ChangeHouseholdRequest::default()
    };
    carried.out("ChangeHousehold", place.households.change_household(change).await);
    let set = v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: id.clone(),
        member: Some(member("张小三", id_number("20100303", 77), v1::Relation::Child)),
        ..v1::SetMemberRequest::default()
    };
    let set = carried.out("SetMember", place.households.set_member(set).await).into_inner().household.unwrap();
    let remove = v1::RemoveMemberRequest {
        request_id: new_request_id(),
        household_id: id.clone(),
        member_id: set.members.last().unwrap().member_id.clone(),
        left_on: date("2025-06-26"),
        expected_version: 0,
    };
    carried.out("RemoveMember", place.households.remove_member(remove).await);
    let window =
        v1::ObservationDraft { window_ends_on: date("2025-05-31"), wages_fen: 1_500_000, ..made::observation(id) };
    carried.out("RecordObservation", made::record(place, window).await);
    carried.out("RevealHousehold", place.reveal(id).await);
}

/// A record of the new place and one that came are made one, and those that were made one before are two again.
async fn of_merges(place: &mut Clients, moved: &Moved, local: &str, carried: &mut Carried) {
    let undo = v1::UndoMergeRequest {
        request_id: new_request_id(),
        merge_id: moved.merge.clone(),
        new_household_number: String::new(),
    };
    carried.out("UndoMerge", place.households.undo_merge(undo).await);
    let merge = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: moved.merged_into.clone(),
        merged_id: local.to_owned(),
        ..v1::MergeHouseholdsRequest::default()
    };
    let merge =
        carried.out("MergeHouseholds", place.households.merge_households(merge).await).into_inner().merge.unwrap();
    let undo = v1::UndoMergeRequest {
        request_id: new_request_id(),
        merge_id: merge.merge_id,
        new_household_number: String::new(),
    };
    carried.out("UndoMerge", place.households.undo_merge(undo).await);
}

/// `over_both` is a region that holds the old place and the new one: who takes records of both apart has to see both.
async fn goes_on_in(to: &str, over_both: &str) {
    let (app, monitored) = start().await;
    let local = app.registered(to, 50).await.household_id;
    let moved = made_and_moved(&app, monitored, to).await;
    // Of a village alone: what lies where the households came from is not seen.
    let mut place = app.clients("hq", to);
    assert!(place.household(&moved.monitored).await.is_ok());
    let mut carried = Carried(BTreeSet::new());
    of_the_case(&mut place, &moved, &mut carried).await;
    of_signals(&mut place, &moved, &mut carried).await;
    of_the_household(&mut place, &moved, &mut carried).await;
    let mut above = app.clients("hq", over_both);
    of_merges(&mut above, &moved, &local, &mut carried).await;
    carried.out("MoveHousehold", move_to(&mut above, &moved.monitored, VILLAGE, "2025-06-27").await);
    place.take(track(&moved.identifying_case, "2025-06-26").into_iter().skip(1).take(4)).await;

    let gaps = "
        SELECT aggregate_id FROM event
        GROUP BY aggregate_id HAVING count(*) <> max(version) OR min(version) <> 1";
    let gaps: Vec<String> = sqlx::query_scalar(gaps).fetch_all(&app.owner).await.unwrap();
    assert!(gaps.is_empty(), "versions of these have a gap: {gaps:?}");
    carried.0.insert("RegisterHousehold".to_owned());
    carried.0.extend(ABOUT_NOTHING_THAT_MOVES.map(str::to_owned));
    let missing: Vec<_> = changing_methods().into_iter().filter(|method| !carried.0.contains(method)).collect();
    assert!(missing.is_empty(), "say what becomes of these after a move: {missing:?}");
}

#[tokio::test]
async fn what_moved_to_the_next_village_goes_on_there() {
    Box::pin(goes_on_in(OTHER_VILLAGE, TOWN)).await;
}

#[tokio::test]
async fn what_moved_to_another_county_goes_on_there() {
    Box::pin(goes_on_in(VILLAGE_ELSEWHERE, PROVINCE)).await;
}
