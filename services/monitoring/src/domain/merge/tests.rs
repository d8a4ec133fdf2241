//! What a merge takes over, and what undoing it restores.

use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::domain::{
    household::{Contact, HouseholdDraft, SocialSupport, Statement},
    id_number,
    member::{Health, LabourAbility, MemberDraft, Schooling, Work},
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn new_member() -> MemberId {
    MemberId(Uuid::new_v4())
}

fn person(relation: Relation, order: u32) -> MemberDraft {
    MemberDraft {
        name: "李四".into(),
        id_number: id_number::sample("1970-05-05", order),
        phone: "".into(),
        health: [Health::Healthy].into(),
        relation,
        labour: LabourAbility::Ordinary,
        schooling: Schooling::NotAtSchool,
        insurances: [].into(),
        work: Work::Farming,
        work_months: 12,
    }
}

/// A head and other members, by the sequence digits of their ID numbers.
fn household(number: Option<&str>, orders: &[u32]) -> Household {
    let relation = |place| if place == 0 { Relation::Head } else { Relation::Child };
    let draft = HouseholdDraft {
        region: "441823107201".to_owned().try_into().unwrap(),
        registered_on: day("2025-01-01"),
        statement: Statement {
            household_number: number.map(str::to_owned),
            contact: Contact { address: "".into(), bank_account: "".into() },
            lifted_from_poverty: false,
            support: SocialSupport::None,
        },
        members: orders.iter().enumerate().map(|(place, order)| person(relation(place), *order)).collect(),
    };
    draft.register(HouseholdId(Uuid::new_v4()), new_member, (DateTime::UNIX_EPOCH, day("2025-06-30"))).unwrap()
}

fn merge(kept: &Household, merged: &Household, take: &[usize]) -> Result<Pair, household::HouseholdRefused> {
    let members = take.iter().map(|place| merged.members[*place].id).collect();
    let terms = Terms { members, observations: true, household_number: true, new_household_number: None };
    kept.clone().merge(merged.clone(), &terms, MergeId(Uuid::new_v4()), new_member, day("2025-06-30"))
}

fn numbers(household: &Household) -> Vec<(Relation, String)> {
    use secrecy::ExposeSecret as _;
    let one = |member: &crate::domain::member::Member| {
        (member.relation, member.personal.id_number.expose_secret().to_owned())
    };
    household.present().map(one).collect()
}

#[test]
fn members_and_number_are_taken_over_and_given_back() {
    let (kept, merged) = (household(None, &[1, 2]), household(Some("77"), &[3, 4]));
    let pair = merge(&kept, &merged, &[0]).unwrap();
    assert_eq!(numbers(&pair.kept)[..2], numbers(&kept)[..]);
    assert_eq!(numbers(&pair.kept)[2], (Relation::Other, numbers(&merged)[0].1.clone()));
    assert_eq!((pair.kept.household_number.as_deref(), pair.merged.merged_into), (Some("77"), Some(kept.id)));
    assert_ne!(pair.kept.members[2].id, merged.members[0].id, "rows are sealed for their own place");

    let parted = pair.part(day("2025-07-01")).unwrap();
    assert_eq!(numbers(&parted.kept), numbers(&kept));
    assert_eq!(numbers(&parted.merged), numbers(&merged));
    assert_eq!((parted.kept.household_number, parted.merged.merged_into), (None, None));
    assert_eq!((parted.merge.undone_on, parted.kept.version), (Some(day("2025-07-01")), 3));
}

#[test]
fn a_number_of_its_own_is_kept() {
    let pair = merge(&household(Some("1"), &[1]), &household(Some("2"), &[2]), &[]).unwrap();
    assert_eq!((pair.kept.household_number.as_deref(), pair.merge.household_number), (Some("1"), false));
    assert_eq!(pair.part(day("2025-07-01")).unwrap().kept.household_number.as_deref(), Some("1"));
}

#[test]
fn nobody_is_taken_over_twice() {
    let (kept, merged) = (household(None, &[1, 2]), household(None, &[2, 3]));
    assert_eq!(
        merge(&kept, &merged, &[0]).unwrap_err(),
        household::HouseholdRefused::new("take_members[0]", Why::MemberTwice)
    );
    assert_eq!(
        merge(&kept, &merged, &[1, 1]).unwrap_err(),
        household::HouseholdRefused::new("take_members[1]", Why::MemberTwice)
    );
}

#[test]
fn only_who_belongs_to_the_merged_record_is_taken_over() {
    let (kept, merged) = (household(None, &[1]), household(None, &[2, 3]));
    let child = merged.members[1].id;
    let merged = merged.remove_member(child, day("2025-05-01")).unwrap().state;
    let refused = household::HouseholdRefused::new("take_members[0]", Why::MemberNotFound);
    assert_eq!(merge(&kept, &merged, &[1]).unwrap_err(), refused);
    assert_eq!(merge(&merged, &kept, &[]).unwrap().merge.members, []);
}

#[test]
fn records_are_not_parted_while_the_head_was_taken_over() {
    let mut pair = merge(&household(None, &[1]), &household(None, &[2]), &[0]).unwrap();
    pair.kept.members[0].relation = Relation::Other;
    pair.kept.members[1].relation = Relation::Head;
    assert_eq!(
        pair.part(day("2025-07-01")).unwrap_err(),
        household::HouseholdRefused::new("merge_id", Why::HeadNeeded)
    );
}

#[test]
fn a_merge_is_final_after_thirty_days() {
    let merge = merge(&household(None, &[1]), &household(None, &[2]), &[]).unwrap().merge;
    assert_eq!(merge.reversible_until(), day("2025-07-30"));
    assert_eq!(merge.check_reversible(day("2025-07-30")), Ok(()));
    assert_eq!(merge.check_reversible(day("2025-07-31")), Err(MergeRefused::Final(day("2025-07-30"))));
}
