//! Who may be in a household, and where it may move.

use uuid::Uuid;

use super::*;
use crate::domain::{
    id_number,
    member::{Health, LabourAbility, Schooling, Work},
};

const TODAY: &str = "2025-06-30";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn village(code: &str) -> RegionCode {
    RegionCode::parse(code).unwrap()
}

fn new_member() -> MemberId {
    MemberId(Uuid::new_v4())
}

fn person(relation: Relation, birth_date: &str, order: u32) -> MemberDraft {
    MemberDraft {
        name: "张三丰".into(),
        id_number: id_number::sample(birth_date, order),
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

fn statement() -> Statement {
    Statement {
        household_number: None,
        contact: Contact { address: "".into(), bank_account: "".into() },
        lifted_from_poverty: false,
        support: SocialSupport::None,
    }
}

fn register(members: Vec<MemberDraft>) -> Result<Household, HouseholdRefused> {
    let draft = HouseholdDraft {
        region: village("441823107201"),
        registered_on: day("2025-01-10"),
        statement: statement(),
        members,
    };
    draft.register(HouseholdId(Uuid::new_v4()), new_member, (DateTime::UNIX_EPOCH, day(TODAY)))
}

/// A head and a spouse.
fn couple() -> Household {
    register(vec![person(Relation::Head, "1980-01-01", 1), person(Relation::Spouse, "1982-02-02", 2)]).unwrap()
}

fn relations(household: &Household) -> Vec<Relation> {
    household.present().map(|member| member.relation).collect()
}

#[test]
fn sex_and_birth_date_are_those_of_the_id_number() {
    use crate::domain::member::Sex::{Female, Male};

    let household = couple();
    let stated: Vec<_> = household.members.iter().map(|member| (member.birth_date, member.sex)).collect();
    assert_eq!(stated, [(day("1980-01-01"), Male), (day("1982-02-02"), Female)]);
    assert_eq!(household.head().map(|head| head.id), Some(household.members[0].id));
}

#[test]
fn nobody_stands_in_a_household_twice() {
    let twice = register(vec![person(Relation::Head, "1980-01-01", 1), person(Relation::Child, "1980-01-01", 1)]);
    assert_eq!(twice.unwrap_err(), HouseholdRefused::new("members[1].id_number", Why::MemberTwice));

    let household = couple();
    let again = person(Relation::Sibling, "1980-01-01", 1);
    let refused = household.clone().set_member(Whom::New(new_member()), again.clone(), day(TODAY)).unwrap_err();
    assert_eq!(refused, HouseholdRefused::new("member.id_number", Why::MemberTwice));
    let spouse = household.members[1].id;
    assert_eq!(household.set_member(Whom::Known(spouse), again, day(TODAY)).unwrap_err(), refused);
}

#[test]
fn who_left_may_come_back() {
    let household = couple();
    let spouse = household.members[1].id;
    let alone = household.remove_member(spouse, day("2025-03-01")).unwrap().state;
    assert_eq!((alone.members.len(), relations(&alone)), (2, vec![Relation::Head]));
    let back = person(Relation::Spouse, "1982-02-02", 2);
    assert_eq!(
        alone.clone().set_member(Whom::Known(spouse), back.clone(), day(TODAY)).unwrap_err().why,
        Why::MemberNotFound
    );
    let household = alone.set_member(Whom::New(new_member()), back, day(TODAY)).unwrap().state;
    assert_eq!(relations(&household), [Relation::Head, Relation::Spouse]);
}

#[test]
fn nobody_is_born_tomorrow() {
    let today = register(vec![person(Relation::Head, "1980-01-01", 1), person(Relation::Child, TODAY, 1)]);
    assert!(today.is_ok());
    let tomorrow = person(Relation::Head, "2025-07-01", 1);
    let refused = register(vec![tomorrow.clone()]).unwrap_err();
    assert_eq!(refused, HouseholdRefused::new("members[0].id_number", Why::BirthDateInFuture));
    let refused = couple().set_member(Whom::New(new_member()), tomorrow, day(TODAY)).unwrap_err();
    assert_eq!(refused, HouseholdRefused::new("member.id_number", Why::BirthDateInFuture));
}

#[test]
fn a_household_is_registered_once_somebody_of_it_is_born() {
    let born = |day: &str| register(vec![person(Relation::Head, day, 1)]).map(drop);
    assert_eq!(born("2025-01-10"), Ok(()));
    assert_eq!(born("2025-01-11"), Err(HouseholdRefused::new("registered_on", Why::BeforeAnyBirth)));
}

#[test]
fn a_member_leaves_once_it_is_born_and_the_household_is_registered() {
    let household = register(vec![person(Relation::Head, "1980-01-01", 1), person(Relation::Child, "2025-03-01", 1)]);
    let household = household.unwrap();
    let left = |place: usize, on| household.clone().remove_member(household.members[place].id, day(on)).map(drop);
    let refused = |why| Err(HouseholdRefused::new("left_on", why));
    assert_eq!(left(1, "2025-02-28"), refused(Why::BeforeBirth));
    assert_eq!(left(1, "2025-03-01"), Ok(()));
    assert_eq!(left(0, "2025-01-09"), refused(Why::BeforeRegistration(day("2025-01-10"))));

    let couple = couple();
    let spouse = couple.members[1].id;
    assert!(
        couple.remove_member(spouse, day("2025-01-10")).is_ok(),
        "on the day itself, as who was entered by mistake"
    );
}

#[test]
fn a_household_has_one_head() {
    for (relations, heads) in
        [(vec![Relation::Spouse], 0), (vec![Relation::Head, Relation::Head], 2), (vec![Relation::Child; 3], 0)]
    {
        let members = (1..).zip(relations).map(|(order, relation)| person(relation, "1980-01-01", order)).collect();
        assert_eq!(register(members).unwrap_err(), HouseholdRefused::new("members", Why::HeadNotOne(heads)));
    }
}

#[test]
fn a_new_head_takes_the_place_of_the_former_who_may_then_leave() {
    let household = couple();
    let (head, spouse) = (household.members[0].id, household.members[1].id);
    let left = day("2025-06-01");
    assert_eq!(
        household.clone().remove_member(head, left).unwrap_err(),
        HouseholdRefused::new("member_id", Why::HeadNeeded)
    );
    let no_head = person(Relation::Spouse, "1980-01-01", 1);
    assert_eq!(
        household.clone().set_member(Whom::Known(head), no_head, day(TODAY)).unwrap_err(),
        HouseholdRefused::new("member.relation", Why::HeadNeeded)
    );

    let new_head = person(Relation::Head, "1982-02-02", 2);
    let household = household.set_member(Whom::Known(spouse), new_head, day(TODAY)).unwrap().state;
    assert_eq!(relations(&household), [Relation::Other, Relation::Head]);
    let household = household.remove_member(head, left).unwrap().state;
    assert_eq!((relations(&household), household.version), (vec![Relation::Head], 3));
}

#[test]
fn a_household_number_hides_no_id_number() {
    let number = id_number::sample("1980-01-01", 1).text().expose_secret().to_owned();
    let statement = Statement { household_number: Some(format!("0{number}")), ..statement() };
    assert_eq!(couple().change(statement).unwrap_err(), HouseholdRefused::new("household_number", Why::HoldsIdNumber));
}

#[test]
fn a_household_moves_forward_in_time() {
    let (here, there) = (village("441823107201"), village("441823107202"));
    let household = couple();
    let early = household.clone().move_to(there, day("2025-01-09")).unwrap_err();
    assert_eq!(early, HouseholdRefused::new("moved_on", Why::BeforeLastMove(day("2025-01-10"))));

    let Change { state: moved, events } = household.clone().move_to(there, day("2025-02-01")).unwrap();
    let expected = Move { household: household.id, from: here, to: there, moved_on: day("2025-02-01") };
    assert_eq!(events, [HouseholdEvent::Moved(expected)]);
    assert_eq!((moved.region, moved.version), (there, 2));
    assert_eq!(
        moved.clone().move_to(here, day("2025-01-31")).unwrap_err(),
        HouseholdRefused::new("moved_on", Why::BeforeLastMove(day("2025-02-01")))
    );
    let stayed = moved.move_to(there, day("2025-03-01")).unwrap();
    assert_eq!((stayed.events, stayed.state.moved_on), (vec![], Some(day("2025-02-01"))));
}
