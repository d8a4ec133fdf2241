//! What a book of pairings counts.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    PairingId,
    organisation::OrganisationKind::{Enterprise, Government},
    pairing::PairingDraft,
};

fn day(offset: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2021, 1, 1).unwrap() + chrono::Days::new(offset.into())
}

fn village(number: u8) -> RegionCode {
    RegionCode::parse(&format!("4418231072{number:02}")).unwrap()
}

/// A party pairing: supporters with odd numbers belong to enterprises.
fn pairing(id: u128, supporter: u8, at: u8, period: Period) -> Pairing {
    let organisation = |number: u128| OrganisationId(Uuid::from_u128(number));
    let draft = PairingDraft {
        kind: PairingKind::Party,
        supporter: organisation(u128::from(supporter)),
        recipient: organisation(1000 + u128::from(at)),
        agreement_number: String::new(),
        period,
    };
    Pairing {
        id: PairingId(Uuid::from_u128(id)),
        draft,
        supporter_name: String::new(),
        supporter_host: Some(if supporter % 2 == 1 { Enterprise } else { Government }),
        recipient_name: String::new(),
        region: village(at),
        end_reason: String::new(),
        void_reason: String::new(),
        version: 1,
    }
}

fn assisted_since(start: u32) -> HashMap<RegionCode, Vec<Period>> {
    let always = vec![Period::new(day(start), None).unwrap()];
    (1..=3).map(|number| (village(number), always.clone())).collect()
}

fn of_rule<'a>(changes: &'a [CountChange], name: &str) -> Vec<(&'a NaiveDate, i32)> {
    let is_it = |change: &&CountChange| matches!(&change.counted, Counted::Village { rule, .. } if rule == name);
    changes.iter().filter(is_it).map(|change| (&change.on, change.change)).collect()
}

#[test]
fn a_village_is_dual_covered_from_its_second_sort_of_supporter_on() {
    let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
    let open = |start| Period::new(day(start), None).unwrap();
    let unit = book.establish(pairing(1, 2, 1, open(10)), &rules).unwrap();
    assert_eq!((of_rule(&unit, "party"), of_rule(&unit, "dual")), (vec![(&day(10), 1)], vec![]));
    let enterprise = book.establish(pairing(2, 3, 1, open(20)), &rules).unwrap();
    assert_eq!((of_rule(&enterprise, "party"), of_rule(&enterprise, "dual")), (vec![], vec![(&day(20), 1)]));
}

#[test]
fn a_village_counts_only_while_it_is_assisted() {
    let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(50)), CoverageRules::default());
    let changes = book.establish(pairing(1, 2, 1, Period::new(day(10), None).unwrap()), &rules).unwrap();
    assert_eq!(of_rule(&changes, "party"), [(&day(50), 1)]);
    let ended = vec![Period::new(day(50), Some(day(60))).unwrap()];
    assert_eq!(of_rule(&book.assist(village(1), ended, &rules), "party"), [(&day(60), -1)]);
}

#[test]
fn a_supporter_of_two_villages_counts_once_in_their_town() {
    let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
    let open = Period::new(day(10), None).unwrap();
    book.establish(pairing(1, 2, 1, open), &rules).unwrap();
    let changes = book.establish(pairing(2, 2, 2, open), &rules).unwrap();
    let is_supporter =
        |change: &&CountChange| matches!(change.counted, Counted::Organisation { side: Side::Supporter, .. });
    let regions: Vec<_> = changes.iter().filter(is_supporter).map(|change| &change.counted).collect();
    assert!(matches!(regions[..], [Counted::Organisation { region, .. }] if *region == village(2)), "{regions:?}");
}

#[test]
fn the_same_two_are_not_paired_twice_at_a_time() {
    let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
    let period = |from, until| Period::new(day(from), Some(day(until))).unwrap();
    book.establish(pairing(1, 2, 1, period(10, 20)), &rules).unwrap();
    assert_eq!(book.establish(pairing(2, 2, 1, period(19, 30)), &rules), Err(Overlaps));
    assert!(book.establish(pairing(3, 2, 1, period(20, 30)), &rules).is_ok());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Establish { supporter: u8, at: u8, start: u32, length: Option<u32> },
    End { which: usize, length: u32 },
    Void { which: usize },
    Assist { at: u8, start: u32, length: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..6u8, 1..4u8, 0..100u32, proptest::option::of(1..60u32))
            .prop_map(|(supporter, at, start, length)| Step::Establish { supporter, at, start, length }),
        2 => (any::<usize>(), 1..60u32).prop_map(|(which, length)| Step::End { which, length }),
        1 => any::<usize>().prop_map(|which| Step::Void { which }),
        1 => (1..4u8, 0..100u32, 1..100u32).prop_map(|(at, start, length)| Step::Assist { at, start, length }),
    ]
}

/// The pairings in the order of their entry.
fn pairings(book: &Book) -> Vec<Pairing> {
    let mut pairings: Vec<_> = book.by_region.values().flatten().cloned().collect();
    pairings.sort_by_key(|pairing| pairing.id);
    pairings
}

fn chosen(book: &Book, which: usize) -> Option<Pairing> {
    let pairings = pairings(book);
    pairings.get(which % pairings.len().max(1)).cloned()
}

fn carry_out(book: &mut Book, step: Step, rules: &CoverageRules, id: u128) -> Vec<CountChange> {
    match step {
        Step::Establish { supporter, at, start, length } => {
            let period = Period::new(day(start), length.map(|length| day(start + length))).unwrap();
            book.establish(pairing(id, supporter, at, period), rules).unwrap_or_default()
        }
        Step::End { which, length } => {
            let Some(mut pairing) = chosen(book, which) else { return Vec::new() };
            let ends_on = pairing.draft.period.starts_on() + chrono::Days::new(length.into());
            pairing.draft.period = pairing.draft.period.ending(ends_on).unwrap();
            book.replace(pairing, rules)
        }
        Step::Void { which } => chosen(book, which).map_or_else(Vec::new, |pairing| book.strike(&pairing, rules)),
        Step::Assist { at, start, length } => {
            let period = Period::new(day(start), Some(day(start + length))).unwrap();
            book.assist(village(at), vec![period], rules)
        }
    }
}

/// When each organisation is paired, of each kind and in each region, by looking at all pairings.
fn counted(pairings: &[Pairing]) -> Vec<(Counted, Timeline)> {
    let mut counts: HashMap<(OrganisationId, Side, RegionCode), Vec<Period>> = HashMap::new();
    for Pairing { draft, region, .. } in pairings {
        for (side, id) in [(Side::Supporter, draft.supporter), (Side::Recipient, draft.recipient)] {
            for region in region.with_ancestors() {
                counts.entry((id, side, region)).or_default().push(draft.period);
            }
        }
    }
    let timeline = |periods: Vec<Period>| {
        let days = periods.clone().into_iter().flat_map(Period::bounds);
        Timeline::of(days, |day| periods.iter().any(|period| period.contains(day)))
    };
    let counted = |(id, side, region)| Counted::Organisation { id, side, kind: PairingKind::Party, region };
    counts.into_iter().map(|(key, periods)| (counted(key), timeline(periods))).collect()
}

proptest! {
    /// The sum of all changes is right for every day, whatever was entered in which order.
    #[test]
    fn the_sum_of_changes_is_what_holds(steps in proptest::collection::vec(step(), 1..25)) {
        let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
        let mut changes = Vec::new();
        for (id, step) in (1..).zip(steps) {
            changes.extend(carry_out(&mut book, step, &rules, id));
        }
        for at in [0, 1, 30, 31, 60, 99, 130, 200].map(day) {
            let sum = |is_it: &dyn Fn(&Counted) -> bool| -> i32 {
                changes.iter().filter(|change| change.on <= at && is_it(&change.counted)).map(|change| change.change).sum()
            };
            for number in 1..=3 {
                let region = village(number);
                for (name, rule) in &rules.0 {
                    let assisted = book.assisted[&region].iter().any(|period| period.contains(at));
                    let entered = pairings(&book);
                    let pairings = entered.iter().filter(|pairing| pairing.region == region);
                    let expected = assisted && rule.is_met(&pairings, at);
                    let counted = Counted::Village { region, rule: name.clone() };
                    prop_assert_eq!(sum(&|other| *other == counted), i32::from(expected));
                }
            }
            for region in village(1).with_ancestors() {
                let entered = pairings(&book);
                let in_force = entered.iter().filter(|pairing| region.contains(pairing.region) && pairing.draft.period.contains(at));
                let supporters: std::collections::HashSet<_> = in_force.map(|pairing| pairing.draft.supporter).collect();
                let counted = sum(&|other| matches!(other, Counted::Organisation { side: Side::Supporter, region: at, .. } if *at == region));
                prop_assert_eq!(usize::try_from(counted), Ok(supporters.len()));
            }
        }
    }
    /// A step states what counting everything before and after it says, and no more.
    #[test]
    fn a_step_states_the_difference_of_two_counts(steps in proptest::collection::vec(step(), 1..25)) {
        let (mut book, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
        for (id, step) in (1..).zip(steps) {
            let before = counted(&pairings(&book));
            let mut stated = carry_out(&mut book, step, &rules, id);
            stated.retain(|change| matches!(change.counted, Counted::Organisation { .. }));
            let expected = differences(&before, &counted(&pairings(&book)));
            prop_assert_eq!(stated.len(), expected.len(), "{:?} is not {:?}", stated, expected);
            for change in expected {
                prop_assert!(stated.contains(&change), "{:?} has no {:?}", stated, change);
            }
        }
    }

    /// A book that is loaded again continues from the counts of the previous one.
    #[test]
    fn a_book_that_is_read_counts_like_the_one_that_was_kept(steps in proptest::collection::vec(step(), 1..25), last in step()) {
        let (mut kept, rules) = (Book::new([], &HashSet::new(), assisted_since(0)), CoverageRules::default());
        for (id, step) in (1..).zip(steps) {
            carry_out(&mut kept, step, &rules, id);
        }
        let entered = pairings(&kept);
        let organisations = entered.iter().flat_map(|pairing| [pairing.draft.supporter, pairing.draft.recipient]).collect();
        let mut read = Book::new(entered, &organisations, kept.assisted.clone());
        prop_assert_eq!(carry_out(&mut read, last, &rules, 1000), carry_out(&mut kept, last, &rules, 1000));
    }
}
