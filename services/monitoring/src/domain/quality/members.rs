//! 101 to 199: who belongs to a household, and how they are related.

use chrono::NaiveDate;

use super::{Dossier, Person, Rule};
use crate::domain::member::{Relation, Sex};

/// Nobody has lived longer, in years.
const OLDEST: i32 = 125;

/// Minimum number of years between a parent and a child.
const YEARS_TO_A_CHILD: i32 = 14;

/// The only rule that looks at other households.
pub const REGISTERED_TWICE: i16 = 114;

pub(super) const RULES: &[Rule] = &[
    Rule::refuse(101, "没有户主", "no head", |dossier| !dossier.members.is_empty() && dossier.head().is_none()),
    Rule::refuse(102, "户主不止一人", "more than one head", |dossier| {
        dossier.related(Relation::Head).count() > 1
    }),
    Rule::warn(103, "配偶不止一人", "more than one spouse", |dossier| {
        dossier.related(Relation::Spouse).count() > 1
    }),
    Rule::warn(104, "户主与配偶性别相同", "head and spouse are of the same sex", |dossier| {
        dossier.head().is_some_and(|head| dossier.related(Relation::Spouse).any(|spouse| spouse.sex == head.sex))
    }),
    Rule::warn(105, "夫妻未达法定婚龄", "head or spouse is below the age of marriage", |dossier| {
        let is_married = dossier.related(Relation::Spouse).next().is_some();
        let couple = dossier.head().into_iter().chain(dossier.related(Relation::Spouse));
        is_married && couple.into_iter().any(|person| person.age_on(dossier.today) < age_of_marriage(person))
    }),
    Rule::warn(106, "子女不比户主年轻", "a child is not younger than the head", |dossier| {
        is_related(dossier, Relation::Child, |head, child| child <= head)
    }),
    Rule::warn(107, "父母不比户主年长", "a parent is not older than the head", |dossier| {
        is_related(dossier, Relation::Parent, |head, parent| parent >= head)
    }),
    Rule::warn(108, "孙子女不比户主年轻", "a grandchild is not younger than the head", |dossier| {
        is_related(dossier, Relation::Grandchild, |head, grandchild| grandchild <= head)
    }),
    Rule::warn(109, "祖父母不比户主年长", "a grandparent is not older than the head", |dossier| {
        is_related(dossier, Relation::Grandparent, |head, grandparent| grandparent >= head)
    }),
    Rule::warn(
        110,
        "子女与户主年龄相差不足14岁",
        "a child is less than 14 years younger than the head",
        |dossier| {
            is_related(dossier, Relation::Child, |head, child| {
                child > head && crate::domain::member::full_years(head, child) < YEARS_TO_A_CHILD
            })
        },
    ),
    Rule::refuse(111, "出生日期在今天之后", "a member is born after today", |dossier| {
        dossier.any(|_, age| age < 0)
    }),
    Rule::refuse(112, "年龄超过125岁", "a member is older than 125", |dossier| dossier.any(|_, age| age > OLDEST)),
    Rule::warn(
        113,
        "有成年人而户主未满16周岁",
        "the head is under 16 although there are adults",
        |dossier| {
            let is_child = |head: &Person| (0..16).contains(&head.age_on(dossier.today));
            dossier.head().is_some_and(is_child) && dossier.any(|_, age| age >= 18)
        },
    ),
    Rule::warn(
        REGISTERED_TWICE,
        "成员同时登记在另一户",
        "a member is registered in another household as well",
        |dossier| dossier.registered_twice > 0,
    ),
    Rule::warn(
        115,
        "身份证号码前六位为已撤销或未知的行政区划",
        "an ID number begins with a place that is unknown or retired",
        |dossier| dossier.places_unknown > 0,
    ),
];

fn age_of_marriage(person: &Person) -> i32 {
    match person.sex {
        Sex::Male => 22,
        Sex::Female => 20,
    }
}

/// Whether a condition holds for the days of birth of the head and of some member with a relation.
fn is_related(dossier: &Dossier, relation: Relation, holds: impl Fn(NaiveDate, NaiveDate) -> bool) -> bool {
    let Some(head) = dossier.head() else { return false };
    dossier.related(relation).any(|person| holds(head.birth_date, person.birth_date))
}
