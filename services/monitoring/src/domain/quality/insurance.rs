//! 301 to 399: insurances.

use super::{Dossier, Rule};
use crate::domain::member::Insurance;

pub(super) const RULES: &[Rule] = &[
    Rule::warn(
        301,
        "同时参加居民和职工医疗保险",
        "both residents' and employees' medical insurance",
        |dossier| both(dossier, Insurance::ResidentMedical, Insurance::EmployeeMedical),
    ),
    Rule::warn(
        302,
        "同时参加居民和职工养老保险",
        "both residents' and employees' pension insurance",
        |dossier| both(dossier, Insurance::ResidentPension, Insurance::EmployeePension),
    ),
    Rule::warn(303, "未满16周岁却参加养老保险", "under 16, with pension insurance", |dossier| {
        let pensions = [Insurance::ResidentPension, Insurance::EmployeePension];
        dossier.any(|person, age| age < 16 && pensions.iter().any(|pension| person.insurances.contains(pension)))
    }),
    Rule::warn(
        304,
        "有人未参保却登记基本医疗有保障",
        "somebody is uninsured, but medical care is guaranteed",
        |dossier| dossier.composition.uninsured > 0 && dossier.observed(|newest| newest.medical_guaranteed),
    ),
    Rule::warn(
        305,
        "大病户有人未参加基本医疗保险",
        "somebody is seriously ill, and somebody uninsured",
        |dossier| {
            dossier.composition.seriously_ill > 0
                && dossier.composition.uninsured > 0
                && !dossier.observed(|newest| newest.medical_guaranteed)
        },
    ),
];

fn both(dossier: &Dossier, one: Insurance, other: Insurance) -> bool {
    dossier.any(|person, _| person.insurances.contains(&one) && person.insurances.contains(&other))
}
