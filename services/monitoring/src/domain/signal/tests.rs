//! Outcomes of signals, and their counts.

use uuid::Uuid;

use super::*;
use crate::domain::household::Move;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn village(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

fn report(origin: Origin, on: &str) -> Report {
    Report {
        household: HouseholdId(Uuid::from_u128(1)),
        region: village("441823107201"),
        cause: Risk::Illness,
        origin,
        reported_on: day(on),
    }
}

fn source(origin: Origin, on: &str) -> Source {
    Source { origin, reported_on: day(on) }
}

fn signal(origin: Origin, on: &str) -> Signal {
    Signal::raise(SignalId(Uuid::from_u128(2)), &report(origin, on))
}

fn found(verified: bool, on: &str) -> Decision {
    Decision { verified, reason: "visited".to_owned(), on: day(on) }
}

fn screening(rule_number: i32) -> Origin {
    let (verdict, rule_set) = (VerdictId(Uuid::new_v4()), RuleSetId(Uuid::from_u128(3)));
    Origin::Screening { verdict, rule_set, rule_number }
}

/// Count, day and change.
fn listed(changes: &[CountChange]) -> Vec<(Counted, String, i32)> {
    changes.iter().map(|change| (change.counted, change.on.to_string(), change.change)).collect()
}

const WARNING: Origin = Origin::Warning(Department::Health);

#[test]
fn a_signal_is_decided_once() {
    let refuted = signal(Origin::Sweep, "2025-03-01").decide(found(false, "2025-03-01"), None).unwrap();
    assert_eq!((refuted.state(), refuted.version), (SignalState::Refuted, 2));
    assert_eq!(refuted.decide(found(true, "2025-03-02"), None), Err(SignalRefused::Decided(SignalState::Refuted)));
}

#[test]
fn a_decision_lies_neither_before_the_first_report_nor_before_the_move() {
    let mut signal = signal(Origin::Sweep, "2025-03-10");
    signal.join(source(Origin::SelfReport, "2025-03-05"));
    let early = signal.clone().decide(found(true, "2025-03-04"), None);
    assert_eq!(early, Err(SignalRefused::DateOrder(day("2025-03-04"), day("2025-03-05"))));
    let elsewhere = signal.clone().decide(found(true, "2025-03-19"), Some(day("2025-03-20")));
    assert_eq!(elsewhere, Err(SignalRefused::DateOrder(day("2025-03-19"), day("2025-03-20"))));
    assert!(signal.decide(found(true, "2025-03-20"), Some(day("2025-03-20"))).is_ok());
}

#[test]
fn only_what_was_verified_leads_to_a_case_and_only_to_one() {
    let case = CaseId(Uuid::from_u128(9));
    let open = signal(Origin::Sweep, "2025-03-01");
    let not_verified = SignalRefused::NotVerified(open.id);
    assert_eq!(open.clone().take(case), Err(not_verified.clone()));
    let refuted = open.clone().decide(found(false, "2025-03-02"), None).unwrap();
    assert_eq!(refuted.take(case), Err(not_verified.clone()));
    let verified = open.decide(found(true, "2025-03-02"), None).unwrap();
    let taken = verified.take(case).unwrap();
    assert_eq!((taken.case, taken.version), (Some(case), 3));
    assert_eq!(taken.take(case), Err(not_verified));
}

#[test]
fn a_rule_that_hits_again_adds_nothing() {
    let mut signal = signal(screening(1), "2025-03-01");
    assert!(!signal.join(source(screening(1), "2025-04-01")));
    assert!(signal.join(source(screening(2), "2025-04-01")));
    assert!(signal.join(source(Origin::Sweep, "2025-04-01")));
    assert!(!signal.join(source(Origin::Sweep, "2025-04-01")));
    assert!(signal.join(source(Origin::SelfReport, "2025-04-01")));
    assert!(signal.join(source(Origin::Sweep, "2025-04-02")));
    assert_eq!(signal.sources.len(), 5);
}

#[test]
fn warnings_of_a_department_that_repeat_a_day_add_nothing() {
    let mut signal = signal(WARNING, "2025-03-01");
    assert!(!signal.join(source(WARNING, "2025-03-01")));
    assert!(signal.join(source(WARNING, "2025-03-02")));
    assert!(signal.join(source(Origin::Warning(Department::Water), "2025-03-01")));
    assert!(!signal.join(source(WARNING, "2025-03-02")));
    assert_eq!(signal.sources.len(), 3);
}

#[test]
fn a_token_names_its_department_with_or_without_the_prefix_of_the_contract() {
    for word in ["human_resources", "HUMAN_RESOURCES", "DEPARTMENT_HUMAN_RESOURCES", "department_human_resources"] {
        assert_eq!(Department::of_token(word), Some(Department::HumanResources), "{word}");
    }
    for word in ["", "department", "unspecified", "DEPARTMENT_UNSPECIFIED", "human-resources", " health", "weather"] {
        assert_eq!(Department::of_token(word), None, "{word}");
    }
}

#[test]
fn a_signal_counts_as_open_until_it_is_decided() {
    let open = signal(Origin::Sweep, "2025-03-01");
    let before = CountedPeriods::of(&open, None, None);
    let raised = changes(&CountedPeriods::default(), &before);
    assert_eq!(listed(&raised), [(Counted::OpenSignals, "2025-03-01".to_owned(), 1)]);
    let decided = open.decide(found(true, "2025-03-05"), None).unwrap();
    let changes = changes(&before, &CountedPeriods::of(&decided, None, None));
    assert_eq!(listed(&changes), [(Counted::OpenSignals, "2025-03-05".to_owned(), -1)]);
}

#[test]
fn a_report_of_an_earlier_day_lets_the_signal_count_from_then() {
    let mut signal = signal(Origin::Sweep, "2025-03-10");
    let before = CountedPeriods::of(&signal, None, None);
    signal.join(source(WARNING, "2025-03-01"));
    let joined = changes(&before, &CountedPeriods::of(&signal, None, None));
    assert_eq!(
        listed(&joined),
        [
            (Counted::OpenSignals, "2025-03-01".to_owned(), 1),
            (Counted::OpenSignals, "2025-03-10".to_owned(), -1),
            (Counted::WarningSignals, "2025-03-01".to_owned(), 1),
        ]
    );
    let before = CountedPeriods::of(&signal, None, None);
    signal.join(source(WARNING, "2025-03-02"));
    assert_eq!(changes(&before, &CountedPeriods::of(&signal, None, None)), []);
}

#[test]
fn only_warnings_count_as_identified() {
    let (sweep, warning) = (signal(Origin::Sweep, "2025-03-01"), signal(WARNING, "2025-03-01"));
    let identified = |signal: &Signal| {
        let before = CountedPeriods::of(signal, None, None);
        listed(&changes(&before, &CountedPeriods::of(signal, None, Some(day("2025-05-01")))))
    };
    assert_eq!(identified(&sweep), []);
    assert_eq!(identified(&warning), [(Counted::WarningsIdentified, "2025-05-01".to_owned(), 1)]);
}

#[test]
fn a_signal_counts_where_the_household_lives() {
    let (from, to) = (village("441823107201"), village("441823107202"));
    let moved = |on: &str| Move { household: HouseholdId(Uuid::from_u128(1)), from, to, moved_on: day(on) };
    let decided = signal(WARNING, "2025-03-01").decide(found(true, "2025-03-31"), None).unwrap();
    let at = |region: RegionCode, on: &str| {
        let Moved(changes) = Moved::of(&decided, &moved(on), None);
        let there: Vec<_> = changes.into_iter().filter(|(at, _)| *at == region).map(|(_, change)| change).collect();
        listed(&there)
    };
    // Moved in between: open here until the move, and there afterwards.
    assert_eq!(
        at(from, "2025-03-10"),
        [
            (Counted::OpenSignals, "2025-03-10".to_owned(), -1),
            (Counted::OpenSignals, "2025-03-31".to_owned(), 1),
            (Counted::WarningSignals, "2025-03-10".to_owned(), -1),
        ]
    );
    assert_eq!(
        at(to, "2025-03-10"),
        [
            (Counted::OpenSignals, "2025-03-10".to_owned(), 1),
            (Counted::OpenSignals, "2025-03-31".to_owned(), -1),
            (Counted::WarningSignals, "2025-03-10".to_owned(), 1),
        ]
    );
    // Moved before the report: counts only there. Moved after the decision: was open only here.
    assert_eq!(at(to, "2025-01-01")[0], (Counted::OpenSignals, "2025-03-01".to_owned(), 1));
    assert_eq!(at(to, "2025-04-01"), [(Counted::WarningSignals, "2025-04-01".to_owned(), 1)]);
}

#[test]
fn precision_is_rounded_down() {
    assert_eq!(Outcomes::default().precision(), 0);
    assert_eq!(Outcomes { signals: 3, identified: 2, ..Outcomes::default() }.precision(), 6_666);
    assert_eq!(Outcomes { signals: 3, identified: 3, ..Outcomes::default() }.precision(), 10_000);
}
