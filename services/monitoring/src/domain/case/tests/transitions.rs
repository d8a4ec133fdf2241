//! Every state and every command: a pair that is not in the table of legal transitions is refused for the right reason.

use std::collections::BTreeSet;

use super::*;
use crate::domain::measure::MeasureRefused;

/// Legal transitions: state, command, next state. Steps are given by number.
const LEGAL: &str = "
    identifying:1  pass:1     identifying:2
    identifying:2  pass:2     identifying:3
    identifying:3  pass:3     identifying:4
    identifying:4  pass:4     identifying:5
    identifying:5  pass:5     identifying:6
    identifying:6  pass:6     identifying:7
    identifying:7  pass:7     identifying:8
    identifying:8  pass:8     monitored
    identifying:1  refuse:1   refused
    identifying:2  refuse:2   refused
    identifying:3  refuse:3   refused
    identifying:4  refuse:4   refused
    identifying:5  refuse:5   refused
    identifying:6  refuse:6   refused
    identifying:7  refuse:7   refused
    identifying:8  refuse:8   refused
    monitored      assisted   removing:1
    monitored      natural    removing:1
    removing:1     pass:1     removing:2
    removing:2     pass:2     removing:3
    removing:3     pass:3     removing:4
    removing:4     pass:4     removing:5
    removing:5     pass:5     removing:6
    removing:6     pass:6     removing:7
    removing:7     pass:7     removing:8
    removing:8     pass:8     removed
    removing:1     refuse:1   monitored
    removing:2     refuse:2   monitored
    removing:3     refuse:3   monitored
    removing:4     refuse:4   monitored
    removing:5     refuse:5   monitored
    removing:6     refuse:6   monitored
    removing:7     refuse:7   monitored
    removing:8     refuse:8   monitored
    removed        roll_back  monitored
";

fn place(case: &Case) -> String {
    match case.stage.next() {
        Some(next) => format!("{}:{}", case.stage.name().name(), next.step.index() + 1),
        None => case.stage.name().name().to_owned(),
    }
}

/// Every state of a case, with and without an emergency.
fn places() -> Vec<Case> {
    let mut places = Vec::new();
    for emergency in [None, Some(Emergency::Disaster), Some(Emergency::Accident)] {
        for step in Step::ALL {
            places.push(pass_until(opened(emergency), Some(*step)));
            places.push(pass_until(removing(emergency, RemovalKind::Assisted), Some(*step)));
            places.push(pass_until(removing(emergency, RemovalKind::Natural), Some(*step)));
        }
        let removed = pass_until(removing(emergency, RemovalKind::Assisted), None);
        let rolled_back = removed.clone().roll_back_removal(last_day(&removed), "county".into(), "why".into(), []);
        places.extend([
            monitored(emergency),
            refuse_next(&opened(emergency)),
            refuse_next(&removing(emergency, RemovalKind::Natural)),
            rolled_back.unwrap().state,
            removed,
        ]);
    }
    places
}

/// Every command, with all other data correct.
fn commands() -> Vec<String> {
    let steps = (1..=8).flat_map(|number| [format!("pass:{number}"), format!("refuse:{number}")]);
    steps.chain(["assisted", "natural", "roll_back"].map(str::to_owned)).collect()
}

fn give(case: &Case, command: &str) -> Result<Change<Case, CaseEvent>, CaseRefused> {
    let on = after(last_day(case), 300);
    let grounds = good_grounds(on);
    match command.split_once(':') {
        Some((verb, number)) => {
            let step = Step::ALL[number.parse::<usize>().unwrap() - 1];
            let refused = verb == "refuse";
            take(case, StepRecord { refused, reason: "why".to_owned(), ..record(step, on) }, Some(&grounds))
        }
        None if command == "roll_back" => case.clone().roll_back_removal(on, "county".into(), "why".into(), []),
        None => propose(case, RemovalKind::by_name(command).unwrap(), on, &grounds),
    }
}

#[test]
fn what_is_not_legal_is_refused_by_naming_the_step_that_is_next() {
    let lines: Vec<Vec<&str>> = LEGAL.trim().lines().map(|line| line.split_whitespace().collect()).collect();
    let (mut taken, mut refused) = (BTreeSet::new(), 0);
    for case in places() {
        for command in commands() {
            let legal = lines.iter().find(|line| (line[0], line[1]) == (place(&case).as_str(), command.as_str()));
            let outcome = give(&case, &command);
            if let Some(line) = legal {
                let Change { state, events } = outcome.unwrap_or_else(|error| panic!("{line:?}: {error}"));
                assert_eq!(place(&state), line[2], "{line:?}");
                assert_eq!(state.version, case.version + 1);
                assert!(!events.is_empty());
                // Existing entries are kept.
                let before = case.history.entries();
                assert_eq!(&state.history.entries()[..before.len()], before);
                assert_eq!(state.history.entries().len(), before.len() + 1);
                taken.insert(line.clone());
            } else {
                let next = case.stage.next().map(|next| next.step);
                let expected = CaseRefused::StepOutOfOrder { next, stage: case.stage.name() };
                assert_eq!(outcome, Err(expected), "{command} at {}", place(&case));
                refused += 1;
            }
        }
    }
    assert_eq!(taken.len(), lines.len(), "each legal transition was taken");
    // 29 states, 19 commands, with three kinds of emergency, less the legal ones.
    assert_eq!(refused, 3 * (29 * 19 - (8 * 2 + 2 * 8 * 2 + 3 * 2 + 1)));
}

#[test]
fn measures_are_for_households_under_monitoring_or_in_an_emergency() {
    for case in places() {
        let planned = plan(Risk::Illness, last_day(&case)).plan(MeasureId(Uuid::from_u128(5)), &case);
        let expected = match (case.stage.name(), case.emergency) {
            (StageName::Identifying, None) => Err(MeasureRefused::CaseNotMonitored),
            (StageName::Refused | StageName::Removed, _) => Err(MeasureRefused::CaseClosed),
            (StageName::Identifying, Some(_)) | (StageName::Monitored | StageName::Removing, _) => Ok(()),
        };
        assert_eq!(planned.map(drop), expected, "{}", place(&case));
    }
}

#[test]
fn measures_end_once_and_before_their_case_is_closed() {
    let measure = measure_of(&monitored(None)).unwrap();
    for case in places().into_iter().filter(|case| case.stage.name() != StageName::Identifying) {
        let on = after(last_day(&case), 1);
        let finished = measure.clone().finish(&case, false, ending(on));
        if case.stage.is_closed() {
            assert_eq!(finished, Err(MeasureRefused::CaseClosed), "{}", place(&case));
        } else {
            let again = finished.unwrap().state.finish(&case, true, ending(on));
            assert_eq!(again, Err(MeasureRefused::Finished), "{}", place(&case));
        }
    }
}

#[test]
fn a_household_has_one_case_at_a_time() {
    for case in places() {
        let later = CaseDraft { opened_on: after(last_day(&case), 1), ..draft(11) };
        let outcome = open(later, &[&case], Some(true));
        if case.stage.is_closed() {
            let relapse_of = (case.stage.name() == StageName::Removed).then_some(case.id);
            assert_eq!(outcome.unwrap().state.relapse_of, relapse_of, "{}", place(&case));
        } else {
            assert_eq!(outcome, Err(CaseRefused::HouseholdHasCase), "{}", place(&case));
        }
    }
}
