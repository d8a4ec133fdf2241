//! Random lives of cases, checked against a simple model: the list of accepted attempts.

use std::collections::BTreeMap;

use chrono::Months;
use proptest::prelude::*;

use super::*;

/// An attempt, some days after the last event.
#[derive(Debug, Clone)]
enum Attempt {
    Step { step: Which, refused: bool, reason: bool },
    Propose { kind: RemovalKind, ground: Ground },
    RollBack,
    Measure { risk: Risk, done: bool },
}

/// The next step, or any.
#[derive(Debug, Clone, Copy)]
enum Which {
    Next,
    Any(Step),
}

/// What is wrong with the grounds of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    Good,
    NoLabour,
    Poor,
    Unsafe,
    Unknown,
}

#[derive(Debug, Clone)]
struct Tried {
    attempt: Attempt,
    who: &'static str,
    days: i64,
    /// Applies at the approval of a removal.
    ground: Ground,
}

/// An accepted attempt.
#[derive(Debug, Clone, PartialEq)]
enum Happened {
    Opened,
    Passed(Step),
    Refused(Step),
    Proposed(RemovalKind),
    RolledBack,
}

#[derive(Debug, Clone)]
struct Event {
    what: Happened,
    who: &'static str,
    on: NaiveDate,
}

/// The model: accepted attempts, and when measures against each risk were done.
#[derive(Debug, Default)]
struct Model {
    events: Vec<Event>,
    helped: Vec<(Risk, NaiveDate)>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Phase {
    Identifying,
    Monitored,
    Removing,
    Removed,
    Refused,
}

impl Model {
    fn last(&self) -> NaiveDate {
        self.events.last().unwrap().on
    }

    /// Events of the newest track, beginning with its proposer.
    fn track(&self) -> &[Event] {
        let begins = |event: &Event| matches!(event.what, Happened::Opened | Happened::Proposed(_));
        &self.events[self.events.iter().rposition(begins).unwrap()..]
    }

    fn passed(&self) -> Vec<Step> {
        let passed = self.track().iter().filter_map(|event| match event.what {
            Happened::Passed(step) => Some(step),
            _ => None,
        });
        passed.collect()
    }

    fn phase(&self) -> Phase {
        let track = self.track();
        let removal = matches!(track[0].what, Happened::Proposed(_));
        let ended = |what: fn(&Happened) -> bool| track.iter().any(|event| what(&event.what));
        let approved = self.passed().len() == 8;
        if ended(|what| matches!(what, Happened::RolledBack)) {
            return Phase::Monitored;
        }
        match (removal, ended(|what| matches!(what, Happened::Refused(_))), approved) {
            (false, true, _) => Phase::Refused,
            (true, true, _) | (false, _, true) => Phase::Monitored,
            (true, _, true) => Phase::Removed,
            (false, ..) => Phase::Identifying,
            (true, ..) => Phase::Removing,
        }
    }

    fn identified_on(&self) -> Option<NaiveDate> {
        self.events.iter().find(|event| event.what == Happened::Passed(Step::CountyApproval)).map(|event| event.on)
    }

    fn performer_of(&self, step: Step) -> Option<&'static str> {
        self.track().iter().find(|event| event.what == Happened::Passed(step)).map(|event| event.who)
    }

    fn may_leave(&self, kind: RemovalKind, ground: Ground, risks: &[Risk], on: NaiveDate) -> bool {
        let helped = |risk| self.helped.iter().any(|(done, day)| *done == risk && *day <= on);
        ground == Ground::Good
            && on >= self.identified_on().unwrap() + Months::new(6)
            && (kind == RemovalKind::Natural || risks.iter().all(|risk| helped(*risk)))
    }

    /// Whether an attempt should be accepted, and as what.
    fn expects(&self, tried: &Tried, next: Step, on: NaiveDate, risks: &[Risk]) -> Option<Happened> {
        if on < self.last() {
            return None;
        }
        match &tried.attempt {
            Attempt::Step { step, refused, reason } => {
                let step = match step {
                    Which::Next => next,
                    Which::Any(step) => *step,
                };
                if !matches!(self.phase(), Phase::Identifying | Phase::Removing) || step.index() != self.passed().len()
                {
                    return None;
                }
                let proposer = self.track()[0].who;
                let four_eyes = match step {
                    Step::HomeVerification => tried.who != proposer,
                    Step::CountyApproval => {
                        tried.who != proposer && Some(tried.who) != self.performer_of(Step::TownReview)
                    }
                    _ => true,
                };
                if !four_eyes {
                    return None;
                }
                if *refused {
                    return reason.then_some(Happened::Refused(step));
                }
                let posted = self.track().iter().find(|event| event.what == Happened::Passed(Step::NoticePosted));
                if step == Step::NoticeEnded && (on - posted.unwrap().on).num_days() < 5 {
                    return None;
                }
                let leaves = match (step, &self.track()[0].what) {
                    (Step::CountyApproval, Happened::Proposed(kind)) => self.may_leave(*kind, tried.ground, risks, on),
                    _ => true,
                };
                leaves.then_some(Happened::Passed(step))
            }
            Attempt::Propose { kind, ground } => {
                let allowed = self.phase() == Phase::Monitored && self.may_leave(*kind, *ground, risks, on);
                allowed.then_some(Happened::Proposed(*kind))
            }
            Attempt::RollBack => (self.phase() == Phase::Removed).then_some(Happened::RolledBack),
            Attempt::Measure { .. } => None,
        }
    }
}

fn grounds(ground: Ground, model: &Model, on: NaiveDate) -> Grounds {
    let good = good_grounds(on);
    let helped = model.helped.iter().filter(|(_, day)| *day <= on).map(|(risk, _)| *risk).collect();
    let good = Grounds { helped, ..good };
    match ground {
        Ground::Good => good,
        Ground::NoLabour => Grounds { labourers: 0, ..good },
        Ground::Poor => Grounds { incomes: vec![Income { per_capita: 1, ..good.incomes[0] }], ..good },
        Ground::Unsafe => Grounds { observed: Some(Observed { guaranteed: false, condition_met: true }), ..good },
        Ground::Unknown => Grounds { observed: None, ..good },
    }
}

fn attempt(
    case: &Case,
    tried: &Tried,
    next: Step,
    on: NaiveDate,
    model: &Model,
) -> Result<Change<Case, CaseEvent>, CaseRefused> {
    match &tried.attempt {
        Attempt::Step { step, refused, reason } => {
            let record = StepRecord {
                step: match step {
                    Which::Next => next,
                    Which::Any(step) => *step,
                },
                refused: *refused,
                reason: if *reason { "why".to_owned() } else { String::new() },
                occurred_on: on,
                performed_by: tried.who.to_owned(),
            };
            take(case, record, Some(&grounds(tried.ground, model, on)))
        }
        Attempt::Propose { kind, ground } => {
            let removal = Removal { kind: *kind, proposed_by: tried.who.to_owned() };
            case.clone().propose_removal(removal, on, &timetable(), Some(&grounds(*ground, model, on)))
        }
        Attempt::RollBack => case.clone().roll_back_removal(on, tried.who.to_owned(), "why".to_owned(), []),
        Attempt::Measure { .. } => unreachable!("measures are no change of the case"),
    }
}

/// The sum of a count's changes up to a day.
fn count_on(stated: &[CountChange], counted: Counted, day: NaiveDate) -> i64 {
    stated.iter().filter(|count| count.counted == counted && count.on <= day).map(|count| count.change).sum()
}

fn check_counts(case: &Case, model: &Model, stated: &[CountChange]) -> Result<(), TestCaseError> {
    let phase = model.phase();
    let today = model.last();
    let monitored = matches!(phase, Phase::Monitored | Phase::Removing);
    prop_assert_eq!(count_on(stated, Counted::UnderMonitoring, today), i64::from(monitored));
    prop_assert_eq!(count_on(stated, Counted::Removed, today), i64::from(phase == Phase::Removed));
    let identified = i64::from(model.identified_on().is_some());
    prop_assert_eq!(count_on(stated, Counted::Identified, today), identified);
    let relapsed = if case.relapse_of.is_some() { identified } else { 0 };
    prop_assert_eq!(count_on(stated, Counted::Relapsed, today), relapsed);
    // On each day, the overdue steps are those due before it and done after it, or not done.
    let pending = case.stage.next().map(|next| (next.on, NaiveDate::MAX));
    let done = case.history.entries().iter().filter_map(|entry| Some((entry.due_on?, entry.occurred_on)));
    let steps: Vec<_> = done.chain(pending).collect();
    for day in case.history.entries()[0].occurred_on.iter_days().take_while(|day| *day <= after(today, 10)) {
        let overdue = steps.iter().filter(|(due, done)| *due < day && day < *done).count();
        prop_assert_eq!(count_on(stated, Counted::OverdueSteps, day), i64::try_from(overdue).unwrap(), "on {}", day);
    }
    // No count of a village is ever negative.
    let mut sums: BTreeMap<Counted, i64> = BTreeMap::new();
    let mut dated = stated.to_vec();
    dated.sort_by_key(|count| (count.on, -count.change));
    for count in dated {
        *sums.entry(count.counted).or_default() += count.change;
        prop_assert!(sums[&count.counted] >= 0);
    }
    Ok(())
}

/// Checks by the events alone that nobody is monitored or removed without passing the guards.
fn check_guards(case: &Case, model: &Model) -> Result<(), TestCaseError> {
    for (place, event) in model.events.iter().enumerate() {
        if event.what != Happened::Passed(Step::CountyApproval) {
            continue;
        }
        let begin = model.events[..place]
            .iter()
            .rposition(|event| matches!(event.what, Happened::Opened | Happened::Proposed(_)));
        let track = &model.events[begin.unwrap()..=place];
        let steps: Vec<_> = track[1..].iter().map(|event| event.what.clone()).collect();
        let all: Vec<_> = Step::ALL.iter().map(|step| Happened::Passed(*step)).collect();
        prop_assert_eq!(steps, all, "all eight steps, in their order, once");
        prop_assert!(track[2].who != track[0].who, "verified by another");
        prop_assert!(track[8].who != track[0].who && track[8].who != track[7].who, "approved by a third");
        prop_assert!((track[6].on - track[5].on).num_days() >= 5, "the notice was up");
        prop_assert!(track.is_sorted_by_key(|event| event.on));
        if let Happened::Proposed(kind) = track[0].what {
            prop_assert!(event.on >= model.identified_on().unwrap() + Months::new(6));
            let helped = |risk: &Risk| model.helped.iter().any(|(done, day)| done == risk && *day <= track[0].on);
            prop_assert!(kind == RemovalKind::Natural || case.risks.iter().all(helped));
        }
    }
    Ok(())
}

fn live(emergency: bool, relapse: bool, tries: Vec<Tried>) -> Result<(), TestCaseError> {
    let earlier = pass_until(removing(None, RemovalKind::Natural), None);
    let earlier: &[&Case] = if relapse { &[&earlier] } else { &[] };
    let opened_on = day("2026-01-01");
    let draft = CaseDraft { emergency: emergency.then_some(Emergency::Disaster), opened_on, ..draft(12) };
    let Change { state: mut case, events } = open(draft, earlier, Some(true)).unwrap();
    let counted = |events: &[CaseEvent]| -> Vec<CountChange> {
        events
            .iter()
            .filter_map(|event| if let CaseEvent::Counted(count) = event { Some(*count) } else { None })
            .collect()
    };
    let mut stated = counted(&events);
    let mut model = Model::default();
    model.events.push(Event { what: Happened::Opened, who: "opener", on: opened_on });
    for tried in tries {
        let on = model.last() + chrono::TimeDelta::days(tried.days);
        if let Attempt::Measure { risk, done } = tried.attempt {
            if let Ok(planned) = plan(risk, on).plan(MeasureId(Uuid::from_u128(5)), &case)
                && done
            {
                let finished = planned.state.finish(&case, false, ending(on)).unwrap();
                model.helped.push((risk, finished.state.done_on().unwrap()));
            }
            continue;
        }
        let next = Step::ALL[model.passed().len().min(7)];
        let expected = model.expects(&tried, next, on, &case.risks);
        let before = case.clone();
        match (attempt(&case, &tried, next, on, &model), expected) {
            (Ok(Change { state, events }), Some(what)) => {
                let entries = state.history.entries();
                prop_assert!(entries.starts_with(before.history.entries()) && entries.len() == model.events.len() + 1);
                stated.extend(counted(&events));
                model.events.push(Event { what, who: tried.who, on });
                case = state;
            }
            (Err(_), None) => prop_assert_eq!(&case, &before),
            (outcome, expected) => {
                prop_assert!(
                    false,
                    "{tried:?} on {on}: {:?} instead of {expected:?}",
                    outcome.map(|change| change.events)
                );
            }
        }
        check_counts(&case, &model, &stated)?;
        check_guards(&case, &model)?;
    }
    // The case's contributions equal the sum of the published changes, day by day.
    let sums = |counts: &[CountChange]| -> BTreeMap<(Counted, NaiveDate), i64> {
        let mut sums = BTreeMap::new();
        for count in counts {
            *sums.entry((count.counted, count.on)).or_default() += count.change;
        }
        sums.retain(|_, change| *change != 0);
        sums
    };
    prop_assert_eq!(sums(&case.counts()), sums(&stated));
    // After a move on any day, both villages together count what one did.
    let (left, arrived) = case.counts_moved(after(opened_on, 40));
    let far = after(model.last(), 10_000);
    for counted in Counted::ALL {
        let at = |counts: &[CountChange]| count_on(counts, *counted, far);
        prop_assert_eq!(at(&left) + at(&stated), 0, "nothing is left behind");
        prop_assert_eq!(at(&arrived), at(&stated));
        prop_assert_eq!(count_on(&left, *counted, after(opened_on, 39)), 0, "before the move nothing changes");
    }
    Ok(())
}

fn tried() -> impl Strategy<Value = Tried> {
    let people = prop_oneof![4 => Just("a"), 4 => Just("b"), 4 => Just("c"), 1 => Just("opener")];
    let days = prop_oneof![10 => 0..7i64, 3 => 5..9i64, 3 => 150..250i64, 1 => -3..0i64];
    let ground = || {
        prop_oneof![
            12 => Just(Ground::Good),
            1 => Just(Ground::NoLabour),
            1 => Just(Ground::Poor),
            1 => Just(Ground::Unsafe),
            1 => Just(Ground::Unknown)
        ]
    };
    let kind = || prop_oneof![Just(RemovalKind::Assisted), Just(RemovalKind::Natural)];
    let any_step = (0..8usize).prop_map(|place| Which::Any(Step::ALL[place]));
    let risk = prop_oneof![Just(Risk::Illness), Just(Risk::Housing), Just(Risk::Water)];
    let attempt = prop_oneof![
        30 => Just(Attempt::Step { step: Which::Next, refused: false, reason: false }),
        3 => any_step.prop_map(|step| Attempt::Step { step, refused: false, reason: true }),
        1 => any::<bool>().prop_map(|reason| Attempt::Step { step: Which::Next, refused: true, reason }),
        6 => (kind(), ground()).prop_map(|(kind, ground)| Attempt::Propose { kind, ground }),
        2 => Just(Attempt::RollBack),
        4 => (risk, any::<bool>()).prop_map(|(risk, done)| Attempt::Measure { risk, done }),
    ];
    (attempt, people, days, ground()).prop_map(|(attempt, who, days, ground)| Tried { attempt, who, days, ground })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_case_does_what_its_facts_allow_and_nothing_else(
        emergency: bool,
        relapse: bool,
        tries in proptest::collection::vec(tried(), 1..60),
    ) {
        live(emergency, relapse, tries)?;
    }
}

/// Random lives prove something only if they reach the end of the procedure.
#[test]
fn a_life_comes_to_its_end() {
    let step = |who, days| Tried {
        attempt: Attempt::Step { step: Which::Next, refused: false, reason: false },
        who,
        days,
        ground: Ground::Good,
    };
    let track = || {
        [step("a", 0), step("b", 0), step("a", 1), step("a", 9), step("a", 0), step("a", 5), step("b", 1), step("c", 2)]
    };
    let propose = |days| Tried {
        attempt: Attempt::Propose { kind: RemovalKind::Natural, ground: Ground::Good },
        ..step("a", days)
    };
    let roll_back = Tried { attempt: Attempt::RollBack, ..step("c", 30) };
    let tries = track().into_iter().chain([propose(200)]).chain(track()).chain([roll_back, propose(0)]).chain(track());
    live(true, true, tries.collect()).unwrap();
}
