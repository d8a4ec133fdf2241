//! 601 to 699: cases: risks without evidence, and removals that should not have happened.

use super::{CaseFacts, Dossier, Rule};
use crate::domain::{household::SocialSupport, observation::HousingGrade, profile::Newest, risk::Risk};

pub(super) const RULES: &[Rule] = &[
    Rule::warn(601, "因残致险而无残疾成员", "at risk by disability, but nobody is disabled", |dossier| {
        is_at_risk(dossier, Risk::Disability) && dossier.composition.disabled == 0
    }),
    Rule::warn(602, "因病致险而无患病成员", "at risk by illness, but nobody is ill", |dossier| {
        let ill = dossier.composition.seriously_ill + dossier.composition.chronically_ill;
        is_at_risk(dossier, Risk::Illness) && ill == 0
    }),
    Rule::warn(
        603,
        "因学致险而无在校或失学成员",
        "at risk by schooling, but nobody is at school or dropped out",
        |dossier| {
            let pupils = dossier.composition.students + dossier.composition.children_out_of_school;
            is_at_risk(dossier, Risk::Schooling) && pupils == 0
        },
    ),
    Rule::warn(
        604,
        "缺劳动力致险而劳动力过半",
        "at risk by lack of labour, but more than half can work",
        |dossier| {
            is_at_risk(dossier, Risk::LackOfLabour) && 2 * dossier.composition.labourers > dossier.composition.persons
        },
    ),
    Rule::warn(
        605,
        "类别为脱贫不稳定户却非脱贫户",
        "category unstable, but never lifted out of poverty",
        |dossier| !dossier.lifted_from_poverty && dossier.in_case(|case| case.category == "unstable"),
    ),
    Rule::warn(
        606,
        "类别为边缘易致贫户却是脱贫户",
        "category marginal, but lifted out of poverty",
        |dossier| dossier.lifted_from_poverty && dossier.in_case(|case| case.category == "marginal"),
    ),
    Rule::warn(607, "纳入监测而无承诺授权", "under monitoring without an authorisation", |dossier| {
        dossier.in_case(|case| case.is_monitored() && !case.authorised)
    }),
    Rule::warn(608, "程序环节超期30天以上", "the next step is overdue by more than 30 days", |dossier| {
        dossier.in_case(|case| case.next_due_on.is_some_and(|due_on| due_on < dossier.days_ago(30)))
    }),
    Rule::warn(
        609,
        "纳入监测满一年而此后没有监测数据",
        "under monitoring for a year without an observation since",
        |dossier| {
            let unobserved = |case: &CaseFacts| {
                case.is_monitored()
                    && case.identified_on.is_some_and(|on| {
                        on < dossier.months_ago(12) && !dossier.observed(|newest| newest.window_ends_on >= on)
                    })
            };
            dossier.in_case(unobserved)
        },
    ),
    Rule::warn(610, "风险消除而住房问题仍在", "removed while the dwelling is dangerous", |dossier| {
        removed_although(dossier, |newest| matches!(newest.housing_grade, HousingGrade::C | HousingGrade::D))
    }),
    Rule::warn(611, "风险消除而饮水问题仍在", "removed while the water is unsafe", |dossier| {
        removed_although(dossier, |newest| !newest.water_safe)
    }),
    Rule::warn(612, "风险消除而义务教育问题仍在", "removed while schooling is not guaranteed", |dossier| {
        removed_although(dossier, |newest| !newest.schooling_guaranteed)
    }),
    Rule::warn(
        613,
        "风险消除而基本医疗问题仍在",
        "removed while medical care is not guaranteed",
        |dossier| removed_although(dossier, |newest| !newest.medical_guaranteed),
    ),
    Rule::warn(614, "风险消除而收入低于监测线", "removed while income is below the line", |dossier| {
        dossier.is_removed() && dossier.is_below_line()
    }),
    Rule::warn(615, "帮扶消除而没有完成的措施", "assisted removal without a finished measure", |dossier| {
        dossier.in_case(|case| left_assisted(case) && case.done().next().is_none())
    }),
    Rule::warn(
        616,
        "帮扶消除而有风险没有完成的措施",
        "assisted removal with a risk without a finished measure",
        |dossier| {
            dossier.in_case(|case| left_assisted(case) && case.done().next().is_some() && !is_each_risk_met(case))
        },
    ),
    Rule::warn(617, "自然消除却有完成的措施", "natural removal after finished measures", |dossier| {
        dossier.in_case(|case| case.removed_on.is_some() && !case.assisted && case.done().next().is_some())
    }),
    Rule::warn(618, "识别未满6个月即消除", "removed within 6 months of identification", |dossier| {
        let early = |case: &CaseFacts| {
            let (Some(from), Some(until)) = (case.identified_on, case.removed_on) else { return false };
            from.checked_add_months(chrono::Months::new(6)).is_some_and(|earliest| until < earliest)
        };
        dossier.in_case(early)
    }),
    Rule::warn(619, "无劳动力户被消除", "removed although nobody can work", |dossier| {
        dossier.is_removed() && dossier.composition.labourers == 0
    }),
    Rule::warn(
        620,
        "类别为开发式帮扶对象而无劳动力",
        "category development, but nobody can work",
        |dossier| dossier.composition.labourers == 0 && dossier.in_case(|case| case.category == "development"),
    ),
    Rule::warn(
        621,
        "类别为兜底保障对象而有劳动力且无社会救助",
        "category safety net, but somebody can work and there is no social support",
        |dossier| {
            dossier.composition.labourers > 0
                && dossier.support == SocialSupport::None
                && dossier.in_case(|case| case.category == "safety_net")
        },
    ),
];

/// Whether the household is under monitoring, or on the way to it, for a risk.
fn is_at_risk(dossier: &Dossier, risk: Risk) -> bool {
    dossier.in_case(|case| (case.is_monitored() || case.next_due_on.is_some()) && case.risks.contains(&risk))
}

fn removed_although(dossier: &Dossier, holds: impl Fn(&Newest) -> bool) -> bool {
    dossier.is_removed() && dossier.observed(holds)
}

fn left_assisted(case: &CaseFacts) -> bool {
    case.removed_on.is_some() && case.assisted
}

fn is_each_risk_met(case: &CaseFacts) -> bool {
    case.risks.iter().all(|risk| case.done().any(|(measure, _)| measure.risk == *risk))
}
