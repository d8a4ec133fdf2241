//! Signals that people report, and what they are found to be.

use futures::future::join_all;
use tongxin_proto::monitoring::v1::{self, Counted, Risk, SignalKind, SignalState};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    drafts::couple,
    lives::{case, start, track},
    support::{
        COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, new_request_id,
        told,
    },
};

pub fn report(household: &str, kind: SignalKind, cause: Risk, on: &str) -> v1::ReportSignalRequest {
    v1::ReportSignalRequest {
        request_id: new_request_id(),
        household_id: household.to_owned(),
        kind: kind.into(),
        cause: cause.into(),
        reported_on: date(on),
    }
}

pub fn decision(signal: &str, verified: bool, on: &str) -> v1::DecideSignalRequest {
    v1::DecideSignalRequest {
        request_id: new_request_id(),
        signal_id: signal.to_owned(),
        verified,
        reason: "入户核实".to_owned(),
        decided_on: date(on),
        expected_version: 0,
    }
}

impl Clients {
    pub async fn sweep(&mut self, household: &str, cause: Risk, on: &str) -> v1::Signal {
        let request = report(household, SignalKind::Sweep, cause, on);
        self.signals.report_signal(request).await.unwrap().into_inner().signal.unwrap()
    }

    pub async fn decide(&mut self, request: v1::DecideSignalRequest) -> Result<v1::Signal, Status> {
        Ok(self.signals.decide_signal(request).await?.into_inner().signal.unwrap())
    }

    pub async fn signal(&mut self, id: &str) -> Result<v1::Signal, Status> {
        let request = v1::GetSignalRequest { signal_id: id.to_owned() };
        Ok(self.signals.get_signal(request).await?.into_inner().signal.unwrap())
    }

    pub async fn signals_in(&mut self, request: v1::ListSignalsRequest) -> (Vec<v1::Signal>, String) {
        let answer = self.signals.list_signals(request).await.unwrap().into_inner();
        (answer.signals, answer.next_page_token)
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String, Vec<String>) {
    told(&outcome.unwrap_err())
}

#[tokio::test]
async fn reports_of_one_household_and_cause_are_one_signal_while_it_is_open() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let mut village = app.clients("village", VILLAGE);
    let first = village
        .signals
        .report_signal(report(&household, SignalKind::SelfReport, Risk::Illness, "2025-06-10"))
        .await
        .unwrap()
        .into_inner();
    let signal = first.signal.unwrap();
    assert!(!first.joined);
    assert_eq!((signal.state(), signal.cause(), signal.version), (SignalState::Open, Risk::Illness, 1));
    assert_eq!((signal.household_id.as_str(), signal.region_code.as_str()), (household.as_str(), VILLAGE));

    let second = village
        .signals
        .report_signal(report(&household, SignalKind::Sweep, Risk::Illness, "2025-06-05"))
        .await
        .unwrap()
        .into_inner();
    assert!(second.joined);
    let joined = second.signal.unwrap();
    assert_eq!((joined.signal_id.as_str(), joined.version), (signal.signal_id.as_str(), 2));
    let sources: Vec<_> = joined.sources.iter().map(|source| (source.kind(), source.reported_on)).collect();
    assert_eq!(sources, [(SignalKind::SelfReport, date("2025-06-10")), (SignalKind::Sweep, date("2025-06-05"))]);
    let other = village.sweep(&household, Risk::Housing, "2025-06-10").await;
    assert_ne!(other.signal_id, signal.signal_id, "another cause is another signal");

    let found = village.decide(decision(&signal.signal_id, true, "2025-06-20")).await.unwrap();
    assert_eq!((found.state(), found.reason.as_str(), found.version), (SignalState::Verified, "入户核实", 3));
    let anew = village.sweep(&household, Risk::Illness, "2025-06-25").await;
    assert_ne!(anew.signal_id, signal.signal_id, "one that was decided is no longer joined");

    let raised: Vec<_> = app.events::<v1::SignalRaised>().await.iter().map(|event| event.joined).collect();
    assert_eq!(raised, [false, true, false, false]);
    let decided = app.events::<v1::SignalDecided>().await;
    assert_eq!((decided.len(), decided[0].verified), (1, true));
    // Two from the earlier of the two reports on, one more from the 10th on.
    for (on, open) in [
        ("2025-06-04", 0),
        ("2025-06-05", 1),
        ("2025-06-10", 2),
        ("2025-06-19", 2),
        ("2025-06-20", 1),
        ("2025-06-25", 2),
    ] {
        assert_eq!(app.count_of(Counted::OpenSignals, VILLAGE, on).await, open, "{on}");
    }
    assert_eq!(app.count_of(Counted::WarningSignals, VILLAGE, "2025-06-30").await, 0);
}

#[tokio::test]
async fn reports_that_come_at_once_raise_one_signal_with_a_source_each() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let reports = (1..=12).map(|on| {
        let (mut village, request) = (
            app.clients("village", VILLAGE),
            report(&household, SignalKind::Sweep, Risk::Illness, &format!("2025-06-{on:02}")),
        );
        async move { village.signals.report_signal(request).await.unwrap().into_inner() }
    });
    let answers = join_all(reports).await;
    assert_eq!(answers.iter().filter(|answer| !answer.joined).count(), 1);
    assert_eq!((app.count("signal").await, app.count("signal_source").await), (1, 12));
    let id = &answers[0].signal.as_ref().unwrap().signal_id;
    assert_eq!(app.hq().signal(id).await.unwrap().version, 12);
    // What was reported on one of the days already is not kept again, however often it comes.
    let again = report(&household, SignalKind::Sweep, Risk::Illness, "2025-06-10");
    let answer = app.hq().signals.report_signal(again).await.unwrap().into_inner();
    assert_eq!((answer.joined, answer.signal.unwrap().version, app.count("signal_source").await), (true, 12, 12));
    assert_eq!(app.count_of(Counted::OpenSignals, VILLAGE, "2025-06-30").await, 1);
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let elsewhere = app.registered(VILLAGE_ELSEWHERE, 1).await.household_id;
    let mut county = app.clients("county", COUNTY);
    let good = report(&household, SignalKind::Sweep, Risk::Illness, "2025-06-10");
    for (request, code, reason) in [
        (v1::ReportSignalRequest { household_id: elsewhere, ..good.clone() }, Code::NotFound, "HOUSEHOLD_NOT_FOUND"),
        (
            v1::ReportSignalRequest { household_id: Uuid::new_v4().to_string(), ..good.clone() },
            Code::NotFound,
            "HOUSEHOLD_NOT_FOUND",
        ),
        (
            v1::ReportSignalRequest { kind: SignalKind::DepartmentWarning.into(), ..good.clone() },
            Code::InvalidArgument,
            "SIGNAL_KIND_WRONG",
        ),
        (
            v1::ReportSignalRequest { kind: SignalKind::Screening.into(), ..good.clone() },
            Code::InvalidArgument,
            "SIGNAL_KIND_WRONG",
        ),
        (
            v1::ReportSignalRequest { reported_on: date("2025-07-01"), ..good.clone() },
            Code::InvalidArgument,
            "DATE_IN_FUTURE",
        ),
        (
            v1::ReportSignalRequest { reported_on: date("2024-06-01"), ..good.clone() },
            Code::PermissionDenied,
            "HISTORY_NOT_ALLOWED",
        ),
        (v1::ReportSignalRequest { cause: 0, ..good.clone() }, Code::InvalidArgument, "INVALID_FIELDS"),
    ] {
        let request = v1::ReportSignalRequest { request_id: new_request_id(), ..request };
        let error = county.signals.report_signal(request).await.unwrap_err();
        assert_eq!((error.code(), told(&error).1.as_str()), (code, reason));
    }
    assert_eq!((app.count("signal").await, app.events::<v1::SignalRaised>().await.len()), (0, 0));
    let department = app.clients("department", COUNTY).signals.report_signal(good).await.unwrap_err();
    assert_eq!(told(&department).1, "PERMISSION_MISSING");
}

#[tokio::test]
async fn a_merged_household_takes_no_reports() {
    let app = TestApp::start().await;
    let (kept, merged) = (app.registered(VILLAGE, 0).await, app.registered(VILLAGE, 1).await);
    let request = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: kept.household_id,
        merged_id: merged.household_id.clone(),
        ..v1::MergeHouseholdsRequest::default()
    };
    app.hq().households.merge_households(request).await.unwrap();
    let request = report(&merged.household_id, SignalKind::Sweep, Risk::Illness, "2025-06-10");
    let outcome = app.hq().signals.report_signal(request).await;
    assert_eq!(refused(outcome).1, "HOUSEHOLD_MERGED");
}

#[tokio::test]
async fn a_decision_that_cannot_be_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let mut county = app.clients("county", COUNTY);
    let id = county.sweep(&household, Risk::Illness, "2025-06-10").await.signal_id;
    let good = decision(&id, false, "2025-06-12");
    for (request, code, reason) in [
        (decision(&Uuid::new_v4().to_string(), true, "2025-06-12"), Code::NotFound, "SIGNAL_NOT_FOUND"),
        (decision(&id, true, "2025-06-09"), Code::InvalidArgument, "DATE_ORDER"),
        (decision(&id, true, "2025-07-01"), Code::InvalidArgument, "DATE_IN_FUTURE"),
        (decision(&id, true, "2024-06-01"), Code::PermissionDenied, "HISTORY_NOT_ALLOWED"),
        (v1::DecideSignalRequest { expected_version: 2, ..good.clone() }, Code::Aborted, "VERSION_STALE"),
        (v1::DecideSignalRequest { reason: String::new(), ..good.clone() }, Code::InvalidArgument, "INVALID_FIELDS"),
        (
            v1::DecideSignalRequest { reason: "本人11010519491231002X".to_owned(), ..good.clone() },
            Code::InvalidArgument,
            "INVALID_FIELDS",
        ),
    ] {
        let request = v1::DecideSignalRequest { request_id: new_request_id(), ..request };
        let error = county.decide(request).await.unwrap_err();
        assert_eq!((error.code(), told(&error).1.as_str()), (code, reason), "{error}");
    }
    let foreign = app.clients("county", OTHER_COUNTY).decide(decision(&id, true, "2025-06-12")).await;
    assert_eq!(refused(foreign).1, "SIGNAL_NOT_FOUND");
    assert_eq!(county.signal(&id).await.unwrap().state(), SignalState::Open);
    assert!(app.events::<v1::SignalDecided>().await.is_empty());

    county.decide(v1::DecideSignalRequest { expected_version: 1, ..good }).await.unwrap();
    let again = county.decide(decision(&id, true, "2025-06-12")).await;
    assert_eq!(refused(again).1, "SIGNAL_DECIDED");
    assert_eq!(county.signal(&id).await.unwrap().state(), SignalState::Refuted);
}

#[tokio::test]
async fn signals_are_seen_where_the_household_lives() {
    let app = TestApp::start().await;
    let draft = v1::HouseholdDraft { registered_on: date("2025-01-01"), ..couple(VILLAGE, 0) };
    let household = app.hq().register(draft).await.unwrap().household_id;
    let mut county = app.clients("county", COUNTY);
    let id = county.sweep(&household, Risk::Illness, "2025-05-10").await.signal_id;
    let closed = county.sweep(&household, Risk::Water, "2025-05-01").await.signal_id;
    county.decide(decision(&closed, false, "2025-06-10")).await.unwrap();
    let request = v1::MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.clone(),
        region_code: OTHER_VILLAGE.to_owned(),
        moved_on: date("2025-06-01"),
        expected_version: 0,
        new_household_number: String::new(),
    };
    county.households.move_household(request).await.unwrap();

    assert_eq!(refused(app.clients("village", VILLAGE).signal(&id).await).1, "SIGNAL_NOT_FOUND");
    assert_eq!(app.clients("village", OTHER_VILLAGE).signal(&id).await.unwrap().region_code, OTHER_VILLAGE);
    let sources: i64 = sqlx::query_scalar("SELECT count(*) FROM signal_source WHERE region_code = 441823107202")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(sources, 2);
    for (on, here, there) in [("2025-05-09", 1, 0), ("2025-05-31", 2, 0), ("2025-06-01", 0, 2), ("2025-06-10", 0, 1)] {
        let open = async |village| app.count_of(Counted::OpenSignals, village, on).await;
        assert_eq!((open(VILLAGE).await, open(OTHER_VILLAGE).await), (here, there), "{on}");
    }

    // What was before the move is not decided after it.
    let early = county.decide(decision(&id, true, "2025-05-31")).await;
    assert_eq!(refused(early).1, "DATE_ORDER");
    county.decide(decision(&id, true, "2025-06-01")).await.unwrap();
    // What is reported of the time before it counts from the move on, where the household lives.
    county.sweep(&household, Risk::Housing, "2025-05-20").await;
    for (on, there) in [("2025-05-31", 0), ("2025-06-01", 2), ("2025-06-30", 1)] {
        assert_eq!(
            app.count_of(Counted::OpenSignals, VILLAGE, on).await,
            if on == "2025-05-31" { 2 } else { 0 },
            "{on}"
        );
        assert_eq!(app.count_of(Counted::OpenSignals, OTHER_VILLAGE, on).await, there, "{on}");
    }
}

#[tokio::test]
async fn lists_show_what_is_asked_for_page_by_page() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let here = app.registered(VILLAGE, 0).await.household_id;
    let elsewhere = app.registered(VILLAGE_ELSEWHERE, 1).await.household_id;
    let mut ids = Vec::new();
    for (household, cause) in [(&here, Risk::Illness), (&here, Risk::Water), (&elsewhere, Risk::Illness)] {
        ids.push(hq.sweep(household, cause, "2025-06-10").await.signal_id);
    }
    hq.decide(decision(&ids[1], false, "2025-06-12")).await.unwrap();
    let seen = async |caller: &mut Clients, request: v1::ListSignalsRequest| {
        let mut found: Vec<usize> = Vec::new();
        for signal in caller.signals_in(request).await.0 {
            found.push(ids.iter().position(|id| *id == signal.signal_id).unwrap());
        }
        found.sort_unstable();
        found
    };
    let all = v1::ListSignalsRequest::default();
    assert_eq!(seen(&mut hq, all.clone()).await, [0, 1, 2]);
    assert_eq!(seen(&mut app.clients("town", TOWN), all.clone()).await, [0, 1]);
    let open = v1::ListSignalsRequest { state: SignalState::Open.into(), ..all.clone() };
    assert_eq!(seen(&mut hq, open).await, [0, 2]);
    let of_county = v1::ListSignalsRequest { region_code: OTHER_COUNTY.to_owned(), ..all.clone() };
    assert_eq!(seen(&mut hq, of_county.clone()).await, [2]);
    assert_eq!(seen(&mut app.clients("town", TOWN), of_county).await, Vec::<usize>::new());
    let of_household = v1::ListSignalsRequest { household_id: here, ..all.clone() };
    assert_eq!(seen(&mut hq, of_household).await, [0, 1]);

    let mut page = v1::ListSignalsRequest { page_size: 2, ..all };
    let (first, token) = hq.signals_in(page.clone()).await;
    page.page_token = token;
    let (second, end) = hq.signals_in(page).await;
    assert_eq!((first.len(), second.len(), end.as_str()), (2, 1, ""));
    assert!(first.iter().all(|signal| signal.signal_id != second[0].signal_id));
}

#[tokio::test]
async fn a_case_is_opened_for_signals_that_were_verified() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let stranger = app.registered(VILLAGE, 5).await.household_id;
    let open = hq.sweep(&household, Risk::Illness, "2024-06-01").await.signal_id;
    let refuted = hq.sweep(&household, Risk::Water, "2024-06-01").await.signal_id;
    hq.decide(decision(&refuted, false, "2024-06-05")).await.unwrap();
    let strange = hq.sweep(&stranger, Risk::Illness, "2024-06-01").await.signal_id;
    hq.decide(decision(&strange, true, "2024-06-05")).await.unwrap();
    for (signal, reason) in
        [(&open, "SIGNAL_NOT_VERIFIED"), (&refuted, "SIGNAL_NOT_VERIFIED"), (&strange, "SIGNAL_NOT_FOUND")]
    {
        let draft = v1::CaseDraft { signal_ids: vec![signal.clone()], ..case(&household) };
        assert_eq!(refused(hq.open(draft).await).1, reason);
    }
    hq.decide(decision(&open, true, "2024-06-05")).await.unwrap();
    let opened = hq.open(v1::CaseDraft { signal_ids: vec![open.clone()], ..case(&household) }).await.unwrap();
    let taken = hq.signal(&open).await.unwrap();
    assert_eq!((taken.case_id.as_str(), taken.version), (opened.case_id.as_str(), 3));
    hq.take(track(&opened.case_id, "2024-06-10")).await;
    // Nobody warned, so no warning was confirmed.
    assert_eq!(app.count_of(Counted::WarningsIdentified, VILLAGE, "2025-06-30").await, 0);
}
