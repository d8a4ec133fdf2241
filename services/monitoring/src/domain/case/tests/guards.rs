//! Every guard, with an attempt to break it.

use tongxin_platform::error::Refusal as _;

use super::*;
use crate::domain::measure::MeasureRefused;

#[test]
fn a_case_needs_a_category_that_the_household_meets() {
    assert_eq!(open(draft(10), &[], Some(false)).unwrap_err().stated().reason, "CATEGORY_NOT_MET");
    assert_eq!(open(draft(10), &[], None), Err(CaseRefused::ObservationMissing));
    let emergency = CaseDraft { emergency: Some(Emergency::Disaster), ..draft(10) };
    assert!(open(emergency.clone(), &[], None).is_ok());
    assert!(open(emergency, &[], Some(false)).is_ok());
}

#[test]
fn risks_are_named_once_and_other_says_what() {
    let twice = CaseDraft { risks: vec![Risk::Water, Risk::Illness, Risk::Water], ..draft(10) };
    assert_eq!(open(twice, &[], Some(true)), Err(CaseRefused::RiskTwice(Risk::Water)));
    let other = |remark: &str| CaseDraft { risks: vec![Risk::Other], risk_remark: remark.to_owned(), ..draft(10) };
    assert_eq!(open(other("  "), &[], Some(true)), Err(CaseRefused::RemarkRequired));
    assert!(open(other("debts"), &[], Some(true)).is_ok());
}

#[test]
fn a_case_begins_no_earlier_than_the_one_before_it_ended() {
    let removed = pass_until(removing(None, RemovalKind::Natural), None);
    let early = CaseDraft { opened_on: last_day(&removed).pred_opt().unwrap(), ..draft(11) };
    assert_eq!(open(early, &[&removed], Some(true)).unwrap_err().stated().reason, "DATE_ORDER");
    let same_day = CaseDraft { opened_on: last_day(&removed), ..draft(11) };
    assert!(open(same_day, &[&removed], Some(true)).is_ok());
}

#[test]
fn nothing_happens_before_what_happened_last() {
    let case = pass_until(opened(None), Some(Step::DataComparison));
    let early = record(Step::DataComparison, last_day(&case).pred_opt().unwrap());
    assert_eq!(take(&case, early, None).unwrap_err().stated().reason, "DATE_ORDER");
    assert!(take(&case, record(Step::DataComparison, last_day(&case)), None).is_ok());

    let removed = pass_until(removing(None, RemovalKind::Natural), None);
    let early = last_day(&removed).pred_opt().unwrap();
    let rolled_back = removed.roll_back_removal(early, "county".into(), "why".into(), []);
    assert_eq!(rolled_back.unwrap_err().stated().reason, "DATE_ORDER");

    let case = monitored(None);
    let refused = refuse_next(&removing(None, RemovalKind::Natural));
    let early = last_day(&refused).pred_opt().unwrap();
    let grounds = good_grounds(early);
    assert!(early > after(last_day(&case), 190));
    assert_eq!(propose(&refused, RemovalKind::Natural, early, &grounds).unwrap_err().stated().reason, "DATE_ORDER");
}

#[test]
fn a_refusal_and_a_roll_back_need_a_reason() {
    for case in [opened(None), removing(None, RemovalKind::Natural)] {
        let silent = StepRecord { refused: true, ..record(Step::Authorisation, last_day(&case)) };
        assert_eq!(take(&case, silent, None), Err(CaseRefused::ReasonRequired));
    }
    let removed = pass_until(removing(None, RemovalKind::Natural), None);
    let day = last_day(&removed);
    assert_eq!(removed.roll_back_removal(day, "county".into(), String::new(), []), Err(CaseRefused::ReasonRequired));
}

#[test]
fn a_notice_is_up_for_five_days_and_not_for_four() {
    for begun in [opened(None), opened(Some(Emergency::Accident)), removing(None, RemovalKind::Assisted)] {
        let case = pass_until(begun, Some(Step::NoticeEnded));
        let end = |days| take(&case, record(Step::NoticeEnded, after(last_day(&case), days)), None);
        assert_eq!(end(4), Err(CaseRefused::NoticeTooShort { min_days: NOTICE_DAYS }));
        assert!(end(5).is_ok());
        let objection = StepRecord {
            refused: true,
            reason: "objection".to_owned(),
            ..record(Step::NoticeEnded, after(last_day(&case), 1))
        };
        assert!(take(&case, objection, None).is_ok());
    }
}

#[test]
fn a_notice_is_put_up_once() {
    for begun in [opened(None), removing(None, RemovalKind::Assisted)] {
        let case = pass_until(begun, Some(Step::NoticeEnded));
        let again = take(&case, record(Step::NoticePosted, last_day(&case)), None).unwrap_err();
        assert_eq!(again.to_string(), "the next step of the case is notice_ended");
        let case = pass_until(case, Some(Step::TownReview));
        assert_eq!(
            take(&case, record(Step::NoticePosted, last_day(&case)), None).unwrap_err().stated().reason,
            "STEP_OUT_OF_ORDER"
        );
    }
}

fn by(step: Step, case: &Case, performer: &str) -> Result<(), CaseRefused> {
    let on = last_day(case);
    take(case, StepRecord { performed_by: performer.to_owned(), ..record(step, on) }, Some(&good_grounds(on))).map(drop)
}

#[test]
fn who_verifies_is_not_who_proposed() {
    let refused = Err(CaseRefused::VerifierIsProposer(Step::HomeVerification));
    let case = pass_until(opened(None), Some(Step::HomeVerification));
    assert_eq!(by(Step::HomeVerification, &case, "opener"), refused);
    assert_eq!(by(Step::HomeVerification, &case, "clerk"), Ok(()));
    let case = pass_until(removing(None, RemovalKind::Natural), Some(Step::HomeVerification));
    assert_eq!(by(Step::HomeVerification, &case, "proposer"), refused);
    // The opener proposed another thing.
    assert_eq!(by(Step::HomeVerification, &case, "opener"), Ok(()));
}

#[test]
fn who_approves_neither_proposed_nor_reviewed() {
    let refused = Err(CaseRefused::VerifierIsProposer(Step::CountyApproval));
    for (begun, proposer) in [(opened(None), "opener"), (removing(None, RemovalKind::Natural), "proposer")] {
        let case = pass_until(begun, Some(Step::CountyApproval));
        assert_eq!(by(Step::CountyApproval, &case, proposer), refused);
        assert_eq!(by(Step::CountyApproval, &case, "town"), refused);
        assert_eq!(by(Step::CountyApproval, &case, "clerk"), Ok(()));
    }
}

#[test]
fn one_person_is_known_with_and_without_the_issuer() {
    assert!(may_be_one("local|opener", "opener") && may_be_one("opener", "local|opener"));
    assert!(!may_be_one("local|opener", "other|opener"));
    assert!(!may_be_one("local|opener", "local|opener2"));
    let case = pass_until(opened(None), Some(Step::HomeVerification));
    assert_eq!(by(Step::HomeVerification, &case, "local|opener").unwrap_err().stated().reason, "VERIFIER_IS_PROPOSER");
}

/// What removal is refused with on some grounds, when it is proposed and when it is approved.
fn refused_on(kind: RemovalKind, change: impl Fn(&mut Grounds)) -> (&'static str, &'static str) {
    let reason = |outcome: Result<Change<Case, CaseEvent>, CaseRefused>| {
        outcome.map_or_else(|error| error.stated().reason, |_| "")
    };
    let changed = |on| {
        let mut grounds = good_grounds(on);
        change(&mut grounds);
        grounds
    };
    let case = monitored(None);
    let on = after(last_day(&case), 200);
    let proposed = reason(propose(&case, kind, on, &changed(on)));
    let case = pass_until(removing(None, kind), Some(Step::CountyApproval));
    let on = last_day(&case);
    (proposed, reason(take(&case, record(Step::CountyApproval, on), Some(&changed(on)))))
}

fn both_refused(reason: &'static str, change: impl Fn(&mut Grounds)) {
    for kind in [RemovalKind::Assisted, RemovalKind::Natural] {
        assert_eq!(refused_on(kind, &change), (reason, reason), "{kind:?}");
    }
}

#[test]
fn good_grounds_remove() {
    both_refused("", |_| {});
}

#[test]
fn a_household_without_labour_is_never_removed() {
    both_refused("NO_LABOUR", |grounds| grounds.labourers = 0);
}

#[test]
fn removal_needs_an_observation() {
    both_refused("OBSERVATION_MISSING", |grounds| grounds.observed = None);
    let case = pass_until(removing(None, RemovalKind::Natural), Some(Step::CountyApproval));
    let on = last_day(&case);
    assert_eq!(take(&case, record(Step::CountyApproval, on), None), Err(CaseRefused::ObservationMissing));
}

#[test]
fn removal_needs_months_to_pass() {
    let case = monitored(None);
    let identified_on = case.stage.identified_on().unwrap();
    assert_eq!(identified_on, day("2025-01-06"));
    let proposed = |on: &str| propose(&case, RemovalKind::Natural, day(on), &good_grounds(day(on))).map(drop);
    assert_eq!(proposed("2025-07-05"), Err(CaseRefused::RemovalTooEarly { earliest: day("2025-07-06") }));
    assert_eq!(proposed("2025-07-06"), Ok(()));
    both_refused("REMOVAL_TOO_EARLY", |grounds| grounds.min_months = 12);
}

#[test]
fn removal_needs_stable_income_above_the_years_line() {
    let income = |window_ends_on, per_capita| Income { window_ends_on, per_capita, line: Some(800_000) };
    let with = |incomes: &[(u64, i64)]| {
        let incomes = incomes.to_vec();
        move |grounds: &mut Grounds| {
            let newest = grounds.incomes[0].window_ends_on;
            let before = |days| newest.checked_sub_days(Days::new(days)).unwrap();
            grounds.incomes = incomes.iter().map(|(days, fen)| income(before(*days), *fen)).collect();
        }
    };
    both_refused("INCOME_NOT_STABLE", with(&[]));
    both_refused("INCOME_NOT_STABLE", with(&[(0, 800_000)]));
    both_refused("INCOME_NOT_STABLE", with(&[(0, 900_000), (90, 799_999)]));
    both_refused("INCOME_NOT_STABLE", with(&[(200, 900_000)]));
    both_refused("", with(&[(0, 800_001), (90, 900_000), (200, 1)]));
    // A year without a line is above none.
    both_refused("INCOME_NOT_STABLE", |grounds| grounds.incomes[0].line = None);
    // What lies ahead is not known yet.
    both_refused("INCOME_NOT_STABLE", |grounds| {
        let newest = grounds.incomes[0].window_ends_on;
        grounds.incomes[0].window_ends_on = after(newest, 1);
    });
}

#[test]
fn removal_needs_all_guarantees_and_the_rules_condition() {
    let seen = |guaranteed, condition_met| Some(Observed { guaranteed, condition_met });
    both_refused("GUARANTEES_NOT_MET", |grounds| grounds.observed = seen(false, true));
    both_refused("GUARANTEES_NOT_MET", |grounds| grounds.observed = seen(true, false));
}

#[test]
fn each_guarantee_counts() {
    use crate::domain::observation::HousingGrade::{A, B, C, D};

    let newest = |schooling, medical, grade, water| crate::domain::profile::Newest {
        window_ends_on: day("2025-05-31"),
        wages: 0,
        business: 0,
        property: 0,
        transfer: 0,
        business_expense: 0,
        out_of_pocket: 0,
        insurance_received: 0,
        net_income: 0,
        per_capita_net_income: 0,
        previous_per_capita_net_income: None,
        loss: 0,
        schooling_guaranteed: schooling,
        medical_guaranteed: medical,
        housing_grade: grade,
        water_safe: water,
        shocks: BTreeSet::new(),
    };
    let guaranteed = |newest| Observed::of(&newest, true).guaranteed;
    assert!(guaranteed(newest(true, true, A, true)) && guaranteed(newest(true, true, B, true)));
    assert!(!guaranteed(newest(false, true, A, true)));
    assert!(!guaranteed(newest(true, false, A, true)));
    assert!(!guaranteed(newest(true, true, C, true)) && !guaranteed(newest(true, true, D, true)));
    assert!(!guaranteed(newest(true, true, A, false)));
}

#[test]
fn assisted_removal_needs_a_measure_against_each_risk() {
    let one_missing = |grounds: &mut Grounds| grounds.helped = BTreeSet::from([Risk::Illness]);
    assert_eq!(refused_on(RemovalKind::Assisted, one_missing), ("MEASURE_MISSING", "MEASURE_MISSING"));
    assert_eq!(refused_on(RemovalKind::Natural, one_missing), ("", ""));
}

#[test]
fn a_measure_helps_from_the_day_on_which_it_was_done() {
    let case = monitored(None);
    let measure = measure_of(&case).unwrap();
    let on = after(last_day(&case), 10);
    let done = measure.clone().finish(&case, false, ending(on)).unwrap().state;
    let cancelled = measure.clone().finish(&case, true, ending(on)).unwrap().state;
    let helped = |measure: &Measure, day| helped_by([measure], day).len();
    assert_eq!((helped(&done, on), helped(&done, on.pred_opt().unwrap())), (1, 0));
    assert_eq!((helped(&cancelled, on), helped(&measure, on)), (0, 0));
}

#[test]
fn measures_are_in_order_and_against_a_risk_of_the_case() {
    let case = monitored(None);
    let identified_on = last_day(&case);
    let planned = |draft: MeasureDraft| draft.plan(MeasureId(Uuid::from_u128(5)), &case).map(drop);
    assert_eq!(planned(plan(Risk::Water, identified_on)), Err(MeasureRefused::RiskNotOfCase(Risk::Water)));
    let order = |outcome: Result<(), MeasureRefused>| {
        let refused = outcome.unwrap_err();
        let stated = refused.stated();
        (stated.reason, stated.field.unwrap().to_owned())
    };
    let too_early = |field: &str| ("DATE_ORDER", field.to_owned());
    let early = plan(Risk::Illness, identified_on.pred_opt().unwrap());
    assert_eq!(order(planned(early)), too_early("measure.planned_on"));
    let due = MeasureDraft { due_on: identified_on.pred_opt().unwrap(), ..plan(Risk::Illness, identified_on) };
    assert_eq!(order(planned(due)), too_early("measure.due_on"));
    let measure = measure_of(&case).unwrap();
    let early = ending(identified_on.pred_opt().unwrap());
    assert_eq!(order(measure.finish(&case, false, early).map(drop)), too_early("finished_on"));
    // In an emergency help comes at once, and not before.
    let case = pass_until(opened(Some(Emergency::Disaster)), Some(Step::DataComparison));
    let planned = |on| plan(Risk::Illness, on).plan(MeasureId(Uuid::from_u128(5)), &case).map(drop);
    assert_eq!(planned(day("2025-01-01")), Ok(()));
    assert!(planned(day("2024-12-31")).is_err());
}

#[test]
fn a_removal_on_which_a_relapse_rests_is_not_rolled_back() {
    let removed = pass_until(removing(None, RemovalKind::Natural), None);
    let on = last_day(&removed);
    let relapse = open(CaseDraft { opened_on: on, ..draft(11) }, &[&removed], Some(true)).unwrap().state;
    let roll_back =
        |other: &Case| removed.clone().roll_back_removal(on, "county".into(), "why".into(), [other]).map(drop);
    assert_eq!(roll_back(&relapse), Err(CaseRefused::HouseholdHasCase));
    assert_eq!(roll_back(&pass_until(relapse.clone(), None)), Err(CaseRefused::HouseholdHasCase));
    assert_eq!(roll_back(&refuse_next(&relapse)), Ok(()));
}

#[test]
fn steps_are_due_after_the_one_before_sooner_in_an_emergency_and_not_in_removal() {
    let due = |case: &Case| (case.stage.next().unwrap().on - last_day(case)).num_days();
    assert_eq!((due(&opened(None)), due(&pass_next(&opened(None)))), (3, 3));
    let emergency = opened(Some(Emergency::Disaster));
    assert_eq!((due(&emergency), due(&pass_next(&emergency))), (1, 1));
    let removal = removing(Some(Emergency::Disaster), RemovalKind::Natural);
    assert_eq!((due(&removal), due(&pass_next(&removal))), (3, 3));
}

#[test]
fn the_newest_notice_is_the_one_that_is_shown() {
    let case = pass_until(opened(None), Some(Step::NoticePosted));
    assert_eq!(case.history.notice(), None);
    let posted = pass_next(&case);
    assert_eq!(posted.history.notice(), Some(Notice { posted_on: last_day(&posted), removal: false }));
    let removal = removing(None, RemovalKind::Natural);
    assert!(!removal.history.notice().unwrap().removal);
    let posted = pass_until(removal, Some(Step::NoticeEnded));
    assert_eq!(posted.history.notice(), Some(Notice { posted_on: last_day(&posted), removal: true }));
}
