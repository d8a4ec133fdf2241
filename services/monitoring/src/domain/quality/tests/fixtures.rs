//! A sound household, and what spoils it, or nearly does.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::domain::{
    household::SocialSupport,
    measure::MeasureFamily,
    member::{Insurance, LabourAbility, Relation, Schooling, Sex, Work},
    observation::HousingGrade,
    profile::{Composition, Newest},
    quality::{CaseFacts, Dossier, MeasureFile, Person},
    risk::Risk,
};

/// What a rule is tried with.
pub struct Fixture {
    /// The rule.
    pub rule: i16,
    /// Makes a household that it, and no other rule, finds fault with.
    pub hit: fn(&mut Dossier),
    /// Makes one that comes close.
    pub miss: fn(&mut Dossier),
}

const HEAD: usize = 0;
const SPOUSE: usize = 1;
const CHILD: usize = 2;
const MOTHER: usize = 3;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn person(relation: Relation, sex: Sex, birth_date: &str) -> Person {
    Person {
        relation,
        sex,
        birth_date: day(birth_date),
        labour: LabourAbility::Lost,
        schooling: Schooling::NotAtSchool,
        insurances: BTreeSet::from([Insurance::ResidentMedical]),
        work: Work::None,
        work_months: 0,
    }
}

/// A farmer of 54, his wife of 52 who has a job, their son of 12, and his mother of 80.
pub fn sound() -> Dossier {
    use Relation::{Child, Head, Parent, Spouse};
    use Sex::{Female, Male};
    let farmer = Person {
        labour: LabourAbility::Ordinary,
        work: Work::Farming,
        work_months: 12,
        ..person(Head, Male, "1970-07-01")
    };
    let wife = Person {
        labour: LabourAbility::Skilled,
        work: Work::JobInCounty,
        work_months: 8,
        ..person(Spouse, Female, "1972-08-01")
    };
    let son = Person { labour: LabourAbility::None, schooling: Schooling::Junior, ..person(Child, Male, "2012-09-01") };
    Dossier {
        today: day("2025-06-30"),
        observable_since: Some(day("2023-01-10")),
        lifted_from_poverty: true,
        support: SocialSupport::None,
        members: vec![farmer, wife, son, person(Parent, Female, "1945-05-01")],
        composition: Composition {
            persons: 4,
            labourers: 2,
            students: 1,
            children_out_of_school: 0,
            elderly: 1,
            disabled: 1,
            seriously_ill: 0,
            chronically_ill: 1,
            workers: 2,
            uninsured: 0,
        },
        registered_twice: 0,
        newest: Some(observation()),
        line: Some(800_000),
        case: None,
    }
}

fn observation() -> Newest {
    Newest {
        window_ends_on: day("2025-05-31"),
        wages: 3_000_000,
        business: 1_000_000,
        property: 0,
        transfer: 200_000,
        business_expense: 300_000,
        out_of_pocket: 100_000,
        insurance_received: 0,
        net_income: 3_900_000,
        per_capita_net_income: 975_000,
        previous_per_capita_net_income: Some(900_000),
        loss: 0,
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::A,
        water_safe: true,
        shocks: BTreeSet::new(),
    }
}

/// A case of an ill household, under monitoring for a year, with a measure that was done.
fn monitored() -> CaseFacts {
    CaseFacts {
        category: "unstable".to_owned(),
        risks: vec![Risk::Illness],
        identified_on: Some(day("2024-09-01")),
        removed_on: None,
        assisted: true,
        authorised: true,
        next_due_on: None,
        measures: vec![done(Risk::Illness, MeasureFamily::Health, "2024-12-31")],
    }
}

fn done(risk: Risk, family: MeasureFamily, on: &str) -> MeasureFile {
    MeasureFile { risk, family, due_on: day(on), done_on: Some(day(on)) }
}

fn removed() -> CaseFacts {
    CaseFacts { removed_on: Some(day("2025-03-31")), ..monitored() }
}

fn seen(dossier: &mut Dossier) -> &mut Newest {
    dossier.newest.as_mut().unwrap()
}

fn monitor(dossier: &mut Dossier, change: impl FnOnce(&mut CaseFacts)) {
    let mut case = monitored();
    change(&mut case);
    dossier.case = Some(case);
}

fn remove(dossier: &mut Dossier, change: impl FnOnce(&mut CaseFacts)) {
    let mut case = removed();
    change(&mut case);
    dossier.case = Some(case);
}

fn born(dossier: &mut Dossier, member: usize, on: &str) {
    dossier.members[member].birth_date = day(on);
}

fn add(dossier: &mut Dossier, relation: Relation, sex: Sex, birth_date: &str) {
    dossier.members.push(person(relation, sex, birth_date));
}

fn insure(dossier: &mut Dossier, member: usize, insurances: &[Insurance]) {
    dossier.members[member].insurances = insurances.iter().copied().collect();
}

fn employ(dossier: &mut Dossier, member: usize, work: Work, months: i16) {
    dossier.members[member].work = work;
    dossier.members[member].work_months = months;
}

/// Nobody has a job or anything else to do.
fn idle(dossier: &mut Dossier) {
    for member in 0..dossier.members.len() {
        employ(dossier, member, Work::None, 0);
    }
}

const fn fixture(rule: i16, hit: fn(&mut Dossier), miss: fn(&mut Dossier)) -> Fixture {
    Fixture { rule, hit, miss }
}

/// One for each rule, in their order.
pub const FIXTURES: &[Fixture] = &[
    fixture(101, |it| it.members[HEAD].relation = Relation::Other, |it| it.members[MOTHER].relation = Relation::Other),
    fixture(102, |it| it.members[MOTHER].relation = Relation::Head, |it| it.members.truncate(1)),
    fixture(
        103,
        |it| add(it, Relation::Spouse, Sex::Female, "1975-01-01"),
        |it| add(it, Relation::ChildInLaw, Sex::Female, "1995-01-01"),
    ),
    fixture(
        104,
        |it| it.members[SPOUSE].sex = Sex::Male,
        |it| {
            it.members[HEAD].sex = Sex::Female;
            it.members[SPOUSE].sex = Sex::Male;
        },
    ),
    fixture(
        105,
        // She is 20 only tomorrow.
        |it| born(it, SPOUSE, "2005-07-01"),
        |it| born(it, SPOUSE, "2005-06-30"),
    ),
    fixture(
        106,
        |it| add(it, Relation::Child, Sex::Female, "1970-07-01"),
        |it| add(it, Relation::ChildInLaw, Sex::Female, "1970-07-01"),
    ),
    fixture(107, |it| born(it, MOTHER, "1970-07-01"), |it| born(it, MOTHER, "1955-07-01")),
    fixture(
        108,
        |it| add(it, Relation::Grandchild, Sex::Male, "1969-01-01"),
        |it| {
            add(it, Relation::Grandchild, Sex::Male, "2020-01-01");
            it.members[4].schooling = Schooling::BeforeSchool;
        },
    ),
    fixture(
        109,
        |it| add(it, Relation::Grandparent, Sex::Male, "1971-01-01"),
        |it| add(it, Relation::Grandparent, Sex::Male, "1925-01-01"),
    ),
    fixture(
        110,
        |it| add(it, Relation::Child, Sex::Female, "1984-06-30"),
        |it| add(it, Relation::Child, Sex::Female, "1984-07-01"),
    ),
    fixture(
        111,
        |it| {
            it.members[CHILD].schooling = Schooling::BeforeSchool;
            born(it, CHILD, "2025-07-01");
        },
        |it| {
            it.members[CHILD].schooling = Schooling::BeforeSchool;
            born(it, CHILD, "2025-06-30");
        },
    ),
    fixture(112, |it| born(it, MOTHER, "1899-06-30"), |it| born(it, MOTHER, "1899-07-01")),
    fixture(
        113,
        |it| {
            it.members.swap(HEAD, CHILD);
            it.members.remove(SPOUSE);
            it.members[HEAD].relation = Relation::Head;
            it.members[1].relation = Relation::Other;
        },
        |it| {
            // An orphan of 12 and a sister of 16.
            it.members = vec![it.members[CHILD].clone(), it.members[CHILD].clone()];
            it.members[0].relation = Relation::Head;
            it.members[1].relation = Relation::Sibling;
            born(it, 1, "2009-06-30");
            seen(it).wages = 0;
        },
    ),
    fixture(
        114,
        |it| it.registered_twice = 1,
        // Two members alike in all that rules see.
        |it| it.members.push(it.members[MOTHER].clone()),
    ),
    fixture(
        201,
        |it| born(it, CHILD, "2019-07-01"),
        |it| {
            it.members[CHILD].schooling = Schooling::Primary;
            born(it, CHILD, "2019-07-01");
        },
    ),
    fixture(
        202,
        |it| it.members[CHILD].schooling = Schooling::NotAtSchool,
        |it| {
            it.members[CHILD].schooling = Schooling::NotAtSchool;
            born(it, CHILD, "2010-06-30");
        },
    ),
    fixture(
        203,
        |it| {
            it.members[CHILD].schooling = Schooling::BeforeSchool;
            born(it, CHILD, "2017-06-30");
        },
        |it| {
            it.members[CHILD].schooling = Schooling::BeforeSchool;
            born(it, CHILD, "2017-07-01");
        },
    ),
    fixture(204, |it| born(it, CHILD, "2005-06-30"), |it| born(it, CHILD, "2005-07-01")),
    fixture(
        205,
        |it| {
            it.members[CHILD].labour = LabourAbility::Ordinary;
            born(it, CHILD, "2007-01-01");
            employ(it, CHILD, Work::JobInProvince, 10);
        },
        |it| {
            it.members[CHILD].labour = LabourAbility::Ordinary;
            born(it, CHILD, "2007-01-01");
            employ(it, CHILD, Work::JobInProvince, 2);
        },
    ),
    fixture(
        206,
        |it| {
            it.members[CHILD].schooling = Schooling::BeforeSchool;
            born(it, CHILD, "2019-07-01");
            employ(it, CHILD, Work::Farming, 1);
        },
        |it| {
            it.members[CHILD].schooling = Schooling::Primary;
            born(it, CHILD, "2019-06-30");
            employ(it, CHILD, Work::Farming, 1);
        },
    ),
    fixture(
        207,
        |it| employ(it, CHILD, Work::JobElsewhere, 1),
        |it| {
            it.members[CHILD].labour = LabourAbility::Weak;
            born(it, CHILD, "2009-06-30");
            employ(it, CHILD, Work::JobElsewhere, 1);
        },
    ),
    fixture(
        208,
        |it| {
            it.members[MOTHER].labour = LabourAbility::Weak;
            born(it, MOTHER, "1954-06-30");
            employ(it, MOTHER, Work::PublicServicePost, 12);
        },
        |it| {
            it.members[MOTHER].labour = LabourAbility::Weak;
            born(it, MOTHER, "1954-07-01");
            employ(it, MOTHER, Work::PublicServicePost, 12);
        },
    ),
    fixture(209, |it| employ(it, SPOUSE, Work::None, 3), |it| employ(it, SPOUSE, Work::None, 0)),
    fixture(210, |it| employ(it, SPOUSE, Work::JobInCounty, 0), |it| employ(it, HEAD, Work::Farming, 0)),
    fixture(
        211,
        |it| it.members[SPOUSE].labour = LabourAbility::Lost,
        |it| {
            it.members[SPOUSE].labour = LabourAbility::Lost;
            employ(it, SPOUSE, Work::Farming, 3);
        },
    ),
    fixture(
        212,
        |it| it.members[CHILD].labour = LabourAbility::Ordinary,
        |it| {
            it.members[CHILD].labour = LabourAbility::Ordinary;
            born(it, CHILD, "2009-06-30");
        },
    ),
    fixture(
        213,
        |it| it.members[MOTHER].labour = LabourAbility::Ordinary,
        |it| {
            it.members[MOTHER].labour = LabourAbility::Ordinary;
            born(it, MOTHER, "1945-07-01");
        },
    ),
    fixture(
        214,
        |it| it.members[HEAD].labour = LabourAbility::None,
        |it| {
            it.members[HEAD].labour = LabourAbility::None;
            born(it, HEAD, "1965-06-30");
        },
    ),
    fixture(
        301,
        |it| insure(it, SPOUSE, &[Insurance::ResidentMedical, Insurance::EmployeeMedical]),
        |it| insure(it, SPOUSE, &[Insurance::EmployeeMedical, Insurance::AntiPoverty]),
    ),
    fixture(
        302,
        |it| insure(it, SPOUSE, &[Insurance::ResidentPension, Insurance::EmployeePension]),
        |it| insure(it, SPOUSE, &[Insurance::ResidentMedical, Insurance::EmployeePension]),
    ),
    fixture(
        303,
        |it| insure(it, CHILD, &[Insurance::ResidentPension]),
        |it| {
            insure(it, CHILD, &[Insurance::ResidentPension]);
            born(it, CHILD, "2009-06-30");
        },
    ),
    fixture(
        304,
        |it| it.composition.uninsured = 1,
        |it| {
            it.composition.uninsured = 1;
            seen(it).medical_guaranteed = false;
        },
    ),
    fixture(
        305,
        |it| {
            it.composition.seriously_ill = 1;
            it.composition.uninsured = 1;
            seen(it).medical_guaranteed = false;
        },
        |it| it.composition.seriously_ill = 1,
    ),
    fixture(401, |it| seen(it).window_ends_on = day("2023-11-30"), |it| seen(it).window_ends_on = day("2023-12-31")),
    fixture(
        402,
        |it| seen(it).wages = 0,
        |it| {
            seen(it).wages = 0;
            employ(it, SPOUSE, Work::JobInCounty, 5);
        },
    ),
    fixture(403, idle, |it| {
        idle(it);
        seen(it).wages = 0;
    }),
    fixture(
        404,
        |it| {
            it.support = SocialSupport::Subsistence;
            seen(it).transfer = 0;
        },
        |it| it.support = SocialSupport::Subsistence,
    ),
    fixture(405, |it| seen(it).business_expense = 3_000_001, |it| seen(it).business_expense = 3_000_000),
    fixture(
        406,
        |it| {
            seen(it).per_capita_net_income = 50_000_000;
            seen(it).previous_per_capita_net_income = None;
        },
        |it| {
            seen(it).per_capita_net_income = 49_999_999;
            seen(it).previous_per_capita_net_income = None;
        },
    ),
    fixture(
        407,
        |it| {
            idle(it);
            *seen(it) = Newest { wages: 0, business: 0, transfer: 0, ..observation() };
        },
        |it| {
            idle(it);
            *seen(it) = Newest { wages: 0, business: 0, transfer: 1, ..observation() };
        },
    ),
    fixture(
        408,
        |it| seen(it).previous_per_capita_net_income = Some(243_749),
        |it| seen(it).previous_per_capita_net_income = Some(243_750),
    ),
    fixture(
        409,
        |it| {
            it.support = SocialSupport::Subsistence;
            it.line = Some(324_999);
        },
        |it| {
            it.support = SocialSupport::Subsistence;
            it.line = Some(325_000);
        },
    ),
    fixture(
        410,
        |it| *seen(it) = Newest { insurance_received: 1, out_of_pocket: 0, ..observation() },
        |it| *seen(it) = Newest { insurance_received: 1, out_of_pocket: 0, loss: 1, ..observation() },
    ),
    fixture(
        501,
        |it| it.composition.children_out_of_school = 1,
        |it| {
            it.composition.children_out_of_school = 1;
            seen(it).schooling_guaranteed = false;
        },
    ),
    fixture(
        502,
        |it| {
            it.members.remove(CHILD);
            seen(it).schooling_guaranteed = false;
        },
        |it| seen(it).schooling_guaranteed = false,
    ),
    fixture(
        503,
        |it| seen(it).housing_grade = HousingGrade::C,
        |it| {
            seen(it).housing_grade = HousingGrade::C;
            monitor(it, |_| {});
        },
    ),
    fixture(504, |it| it.line = Some(975_001), |it| it.line = Some(975_000)),
    fixture(
        505,
        |it| seen(it).water_safe = false,
        |it| {
            seen(it).water_safe = false;
            monitor(it, |_| {});
        },
    ),
    fixture(
        506,
        |it| it.support = SocialSupport::ExtremeDifficulty,
        |it| {
            it.support = SocialSupport::ExtremeDifficulty;
            it.composition.labourers = 0;
        },
    ),
    fixture(
        601,
        |it| {
            it.composition.disabled = 0;
            monitor(it, |case| {
                case.risks = vec![Risk::Disability];
                case.measures[0].risk = Risk::Disability;
            });
        },
        |it| {
            monitor(it, |case| {
                case.risks = vec![Risk::Disability];
                case.measures[0].risk = Risk::Disability;
            });
        },
    ),
    fixture(
        602,
        |it| {
            it.composition.chronically_ill = 0;
            monitor(it, |_| {});
        },
        // Who was removed may be well again.
        |it| {
            it.composition.chronically_ill = 0;
            remove(it, |_| {});
        },
    ),
    fixture(
        603,
        |it| {
            it.composition.students = 0;
            monitor(it, |case| {
                case.risks = vec![Risk::Schooling];
                case.measures[0].risk = Risk::Schooling;
            });
        },
        |it| {
            monitor(it, |case| {
                case.risks = vec![Risk::Schooling];
                case.measures[0].risk = Risk::Schooling;
            });
        },
    ),
    fixture(
        604,
        |it| {
            it.composition.labourers = 3;
            monitor(it, |case| {
                case.risks = vec![Risk::LackOfLabour];
                case.measures[0].risk = Risk::LackOfLabour;
            });
        },
        |it| {
            monitor(it, |case| {
                case.risks = vec![Risk::LackOfLabour];
                case.measures[0].risk = Risk::LackOfLabour;
            });
        },
    ),
    fixture(
        605,
        |it| {
            it.lifted_from_poverty = false;
            monitor(it, |_| {});
        },
        |it| {
            it.lifted_from_poverty = false;
            monitor(it, |case| case.category = "hardship".to_owned());
        },
    ),
    fixture(
        606,
        |it| monitor(it, |case| case.category = "marginal".to_owned()),
        |it| {
            it.lifted_from_poverty = false;
            monitor(it, |case| case.category = "marginal".to_owned());
        },
    ),
    fixture(
        607,
        |it| monitor(it, |case| case.authorised = false),
        |it| monitor(it, |case| *case = CaseFacts { identified_on: None, authorised: false, ..monitored() }),
    ),
    fixture(
        608,
        |it| monitor(it, |case| case.next_due_on = Some(day("2025-05-30"))),
        |it| monitor(it, |case| case.next_due_on = Some(day("2025-05-31"))),
    ),
    fixture(
        609,
        |it| {
            seen(it).window_ends_on = day("2024-05-31");
            monitor(it, |case| case.identified_on = Some(day("2024-06-29")));
        },
        |it| {
            seen(it).window_ends_on = day("2024-05-31");
            monitor(it, |case| case.identified_on = Some(day("2024-06-30")));
        },
    ),
    fixture(
        610,
        |it| {
            seen(it).housing_grade = HousingGrade::D;
            remove(it, |_| {});
        },
        |it| {
            seen(it).housing_grade = HousingGrade::B;
            remove(it, |_| {});
        },
    ),
    fixture(
        611,
        |it| {
            seen(it).water_safe = false;
            remove(it, |_| {});
        },
        |it| {
            seen(it).water_safe = false;
            monitor(it, |_| {});
        },
    ),
    fixture(
        612,
        |it| {
            seen(it).schooling_guaranteed = false;
            remove(it, |_| {});
        },
        |it| {
            seen(it).schooling_guaranteed = false;
            monitor(it, |_| {});
        },
    ),
    fixture(
        613,
        |it| {
            seen(it).medical_guaranteed = false;
            remove(it, |_| {});
        },
        |it| {
            seen(it).medical_guaranteed = false;
            monitor(it, |_| {});
        },
    ),
    fixture(
        614,
        |it| {
            it.line = Some(975_001);
            remove(it, |_| {});
        },
        |it| {
            it.line = Some(975_000);
            remove(it, |_| {});
        },
    ),
    fixture(
        615,
        |it| remove(it, |case| case.measures[0].done_on = None),
        |it| {
            remove(it, |case| {
                case.assisted = false;
                case.measures[0].done_on = None;
            });
        },
    ),
    fixture(
        616,
        |it| remove(it, |case| case.risks.push(Risk::Housing)),
        |it| {
            remove(it, |case| {
                case.risks.push(Risk::Housing);
                case.measures.push(done(Risk::Housing, MeasureFamily::Housing, "2025-01-01"));
            });
        },
    ),
    fixture(
        617,
        |it| remove(it, |case| case.assisted = false),
        |it| {
            remove(it, |case| {
                case.assisted = false;
                case.measures.clear();
            });
        },
    ),
    fixture(
        618,
        |it| remove(it, |case| case.removed_on = Some(day("2025-02-28"))),
        |it| remove(it, |case| case.removed_on = Some(day("2025-03-01"))),
    ),
    fixture(
        619,
        |it| {
            it.composition.labourers = 0;
            remove(it, |_| {});
        },
        |it| {
            it.composition.labourers = 0;
            monitor(it, |_| {});
        },
    ),
    fixture(
        620,
        |it| {
            it.composition.labourers = 0;
            monitor(it, |case| case.category = "development".to_owned());
        },
        |it| monitor(it, |case| case.category = "development".to_owned()),
    ),
    fixture(
        621,
        |it| monitor(it, |case| case.category = "safety_net".to_owned()),
        |it| {
            it.support = SocialSupport::Subsistence;
            monitor(it, |case| case.category = "safety_net".to_owned());
        },
    ),
    fixture(
        701,
        |it| {
            monitor(it, |case| {
                *case = CaseFacts { identified_on: Some(day("2025-05-30")), measures: vec![], ..monitored() };
            });
        },
        |it| {
            monitor(it, |case| {
                *case = CaseFacts { identified_on: Some(day("2025-05-31")), measures: vec![], ..monitored() };
            });
        },
    ),
    fixture(
        702,
        |it| {
            monitor(it, |case| {
                case.measures[0].done_on = None;
                case.measures[0].due_on = day("2025-06-29");
            });
        },
        |it| {
            monitor(it, |case| {
                case.measures[0].done_on = None;
                case.measures[0].due_on = day("2025-06-30");
            });
        },
    ),
    fixture(
        703,
        |it| {
            employ(it, SPOUSE, Work::Farming, 8);
            seen(it).wages = 0;
            monitor(it, |case| case.measures.push(done(Risk::Illness, MeasureFamily::Employment, "2024-11-29")));
        },
        |it| {
            employ(it, SPOUSE, Work::Farming, 8);
            seen(it).wages = 0;
            monitor(it, |case| case.measures.push(done(Risk::Illness, MeasureFamily::Employment, "2024-11-30")));
        },
    ),
    fixture(
        704,
        |it| monitor(it, |case| case.measures[0].family = MeasureFamily::PublicServicePost),
        |it| {
            employ(it, SPOUSE, Work::PublicServicePost, 8);
            monitor(it, |case| case.measures[0].family = MeasureFamily::PublicServicePost);
        },
    ),
    fixture(
        705,
        |it| {
            seen(it).housing_grade = HousingGrade::C;
            monitor(it, |case| case.measures.push(done(Risk::Housing, MeasureFamily::Housing, "2025-05-30")));
        },
        |it| {
            seen(it).housing_grade = HousingGrade::C;
            monitor(it, |case| case.measures.push(done(Risk::Housing, MeasureFamily::Housing, "2025-05-31")));
        },
    ),
    fixture(
        706,
        |it| {
            seen(it).water_safe = false;
            monitor(it, |case| case.measures.push(done(Risk::Water, MeasureFamily::Water, "2025-05-30")));
        },
        |it| {
            seen(it).water_safe = false;
            monitor(it, |case| case.measures.push(done(Risk::Water, MeasureFamily::Water, "2025-05-31")));
        },
    ),
    fixture(
        707,
        |it| {
            seen(it).schooling_guaranteed = false;
            monitor(it, |case| {
                case.measures.push(done(Risk::Schooling, MeasureFamily::CompulsoryEducation, "2025-05-30"));
            });
        },
        |it| {
            seen(it).schooling_guaranteed = false;
            monitor(it, |case| case.measures.push(done(Risk::Schooling, MeasureFamily::OtherEducation, "2025-05-30")));
        },
    ),
    fixture(
        708,
        |it| monitor(it, |case| case.measures[0].family = MeasureFamily::ComprehensiveSecurity),
        |it| {
            it.support = SocialSupport::Subsistence;
            monitor(it, |case| case.measures[0].family = MeasureFamily::ComprehensiveSecurity);
        },
    ),
];
