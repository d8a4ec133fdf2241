//! What a row may leave out, mask and order otherwise, and how differences are named.

use std::collections::BTreeSet;

use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::domain::{
    HouseholdId, MemberId,
    household::{Contact, SocialSupport, Statement},
    id_number,
    member::{Health, LabourAbility, Relation, Schooling, Work},
};

/// Makes a row say something else.
type Change = fn(&mut StatedHousehold);

fn text(secret: &SecretString) -> &str {
    secret.expose_secret()
}

fn member(name: &str, order: u32, relation: Relation) -> StatedMember {
    StatedMember {
        name: name.into(),
        id_number: id_number::sample("1980-01-01", order).text().clone(),
        phone: "13800001234".into(),
        health: [Health::Healthy].into(),
        relation,
        labour: LabourAbility::Ordinary,
        schooling: Schooling::NotAtSchool,
        insurances: [].into(),
        work: Work::Farming,
        work_months: 12,
    }
}

/// As a file states it: a head and two children whose masks are the same.
fn row() -> StatedHousehold {
    StatedHousehold {
        id: None,
        region: "441823107201".to_owned().try_into().unwrap(),
        registered_on: "2025-01-10".parse().ok(),
        statement: Statement {
            household_number: Some("77".to_owned()),
            contact: Contact { address: "沙塘村12号".into(), bank_account: "6228480402564890018".into() },
            lifted_from_poverty: true,
            support: SocialSupport::None,
        },
        members: vec![
            member("张三丰", 1, Relation::Head),
            member("张一", 3, Relation::Child),
            member("张二", 5, Relation::Child),
        ],
    }
}

fn kept() -> Household {
    let new_member = || MemberId(Uuid::new_v4());
    let today = "2025-06-30".parse().unwrap();
    let draft = row().whole(today).unwrap();
    draft.register(HouseholdId(Uuid::new_v4()), new_member, (DateTime::UNIX_EPOCH, today)).unwrap()
}

/// As an export has it: masked, and without health.
fn masked(mut row: StatedHousehold) -> StatedHousehold {
    let Contact { address, bank_account } = &mut row.statement.contact;
    *address = mask_address(text(address)).into();
    *bank_account = mask_bank_account(text(bank_account)).into();
    for member in &mut row.members {
        member.name = mask_name(text(&member.name)).into();
        member.id_number = mask_id_number(text(&member.id_number)).into();
        member.phone = mask_phone(text(&member.phone)).into();
        member.health = BTreeSet::new();
    }
    row
}

fn compare(change: impl FnOnce(&mut StatedHousehold)) -> Result<(), String> {
    let mut row = row();
    change(&mut row);
    row.check_alike(&kept()).map_err(|unlike| unlike.to_string())
}

fn differs(fields: &str) -> Result<(), String> {
    Err(format!("the household is kept already, and differs in: {fields}"))
}

#[test]
fn what_is_kept_is_alike_whole_and_masked_in_any_order_and_without_its_day() {
    assert_eq!(compare(|_| ()), Ok(()));
    assert_eq!(compare(|row| *row = masked(row.clone())), Ok(()));
    assert_eq!(compare(|row| row.members.reverse()), Ok(()));
    assert_eq!(compare(|row| row.registered_on = None), Ok(()));
    assert_eq!(compare(|row| row.members[1].health.clear()), Ok(()));
}

#[test]
fn whoever_is_masked_leaves_the_place_to_whoever_is_not() {
    // Both places fit the first, and the second fits only the one that the first would take.
    let half_masked = |row: &mut StatedHousehold| {
        let whole = row.members[1].clone();
        *row = masked(row.clone());
        row.members[2] = whole;
    };
    assert_eq!(compare(half_masked), Ok(()));
}

#[test]
fn each_field_that_differs_is_named() {
    let cases: &[(Change, &str)] = &[
        (|row| row.statement.household_number = None, "household_number"),
        (|row| row.region = "441823107202".to_owned().try_into().unwrap(), "region_code"),
        (|row| row.statement.contact.address = "沙塘村13号".into(), "address"),
        (|row| row.statement.contact.bank_account = "".into(), "bank_account"),
        (|row| row.statement.lifted_from_poverty = false, "lifted_from_poverty"),
        (|row| row.statement.support = SocialSupport::Subsistence, "support"),
        (|row| row.registered_on = "2025-01-11".parse().ok(), "registered_on"),
        (|row| row.members[1].name = "张三".into(), "members[1].name"),
        (|row| row.members[1].phone = "".into(), "members[1].phone"),
        (|row| row.members[1].health = [Health::Disabled].into(), "members[1].health"),
        (|row| row.members[1].labour = LabourAbility::Lost, "members[1].labour"),
        (|row| row.members[1].schooling = Schooling::Primary, "members[1].schooling"),
        (
            |row| row.members[1].insurances = [crate::domain::member::Insurance::AntiPoverty].into(),
            "members[1].insurances",
        ),
        (|row| row.members[1].work = Work::None, "members[1].work"),
        (|row| row.members[1].work_months = 11, "members[1].work_months"),
        (|row| row.members[1].relation = Relation::Other, "members[1].relation"),
        (|row| row.members.truncate(2), "members"),
        (|row| row.members.push(member("张四", 7, Relation::Child)), "members"),
        (|row| row.members[2].id_number = id_number::sample("1980-01-01", 7).text().clone(), "members[2].id_number"),
        (
            |row| {
                row.statement.contact.address = "".into();
                row.members.swap(0, 2);
                row.members[0].phone = "13800001235".into();
            },
            "address, members[0].phone",
        ),
    ];
    for (change, fields) in cases {
        assert_eq!(compare(change), differs(fields));
    }
}

#[test]
fn a_mask_of_something_else_is_no_value() {
    let cases: &[(Change, &str)] = &[
        (|row| row.members[0].name = "李**".into(), "members[0].name"),
        (|row| row.members[0].name = "张*".into(), "members[0].name"),
        (|row| row.members[0].id_number = "4419**************".into(), "members[0].id_number"),
        (|row| row.members[0].phone = "138****1235".into(), "members[0].phone"),
        (|row| row.statement.contact.address = "沙塘村****".into(), "address"),
        (|row| row.statement.contact.bank_account = "***************0019".into(), "bank_account"),
    ];
    for (change, field) in cases {
        let mut row = row();
        // Something else that differs does not hide it.
        row.statement.support = SocialSupport::Subsistence;
        change(&mut row);
        assert_eq!(row.check_alike(&kept()), Err(Unlike::Masked((*field).to_owned())));
    }
}

#[test]
fn nothing_masked_becomes_a_household() {
    let refused = |change: fn(&mut StatedHousehold)| {
        let mut row = row();
        change(&mut row);
        let new_member = || MemberId(Uuid::new_v4());
        let today = "2025-06-30".parse().unwrap();
        let draft = row.whole(today)?;
        draft.register(HouseholdId(Uuid::new_v4()), new_member, (DateTime::UNIX_EPOCH, today))
    };
    let cases: &[(Change, &str)] = &[
        (|row| row.members[1].name = "张*".into(), "members[1].name"),
        (|row| row.members[1].id_number = "4418**************".into(), "members[1].id_number"),
        (|row| row.members[1].phone = "138****1234".into(), "members[1].phone"),
        (|row| row.statement.contact.address = "沙塘村***".into(), "address"),
        (|row| row.statement.contact.bank_account = "***************0018".into(), "bank_account"),
    ];
    for (change, field) in cases {
        let refused = refused(*change).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.why), (*field, super::super::Why::Masked));
    }
    let refused = refused(|row| row.members[1].health.clear()).unwrap_err();
    assert_eq!(refused.to_string(), "members[1].health is required");
}

/// What is behind a mask may be asked for once in a row: all answers about several guesses are the same.
#[test]
fn several_guesses_at_one_person_are_not_told_apart() {
    let guesses = |orders: [u32; 2]| {
        compare(|row| {
            *row = masked(row.clone());
            for (place, order) in orders.into_iter().enumerate() {
                row.members[place + 1].id_number = id_number::sample("1980-01-01", order).text().clone();
                row.members[place + 1].name = "张一".into();
            }
        })
    };
    assert_eq!(guesses([3, 7]), differs("members"));
    assert_eq!(guesses([7, 9]), differs("members"));
    let more = |phone: &str| {
        compare(|row| {
            let again = row.members[1].clone();
            row.members.extend([again.clone(), again]);
            row.members[3].phone = phone.into();
        })
    };
    assert_eq!(more("13800001234"), differs("members"));
    assert_eq!(more("13800001235"), differs("members"));
}
