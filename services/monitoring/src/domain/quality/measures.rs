//! 701 to 799: measures that are missing, late, or show no effect.

use super::{Dossier, Rule};
use crate::domain::{
    household::SocialSupport, measure::MeasureFamily, member::Work, observation::HousingGrade, profile::Newest,
};

pub(super) const RULES: &[Rule] = &[
    Rule::warn(
        701,
        "纳入监测30天后仍有风险没有措施",
        "a risk without a measure 30 days after identification",
        |dossier| {
            let is_met = |case: &super::CaseFacts| {
                case.risks.iter().all(|risk| case.measures.iter().any(|measure| measure.risk == *risk))
            };
            dossier.in_case(|case| {
                let is_old = case.identified_on.is_some_and(|on| on < dossier.days_ago(30));
                case.is_monitored() && is_old && !is_met(case)
            })
        },
    ),
    Rule::warn(702, "措施到期未完成", "a measure is overdue", |dossier| {
        let is_overdue = |measure: &super::MeasureFile| measure.done_on.is_none() && measure.due_on < dossier.today;
        dossier.in_case(|case| case.is_monitored() && case.measures.iter().any(is_overdue))
    }),
    Rule::warn(
        703,
        "就业帮扶完成半年后仍无工资性收入",
        "a job was found half a year before, but no wages",
        // No rule about removals covers wages.
        |dossier| is_need_seen(dossier, MeasureFamily::Employment, 6, |newest| newest.wages == 0),
    ),
    Rule::warn(704, "公益岗位帮扶完成而无人在岗", "a post was found, but nobody has one", |dossier| {
        let nobody = !dossier.members.is_empty() && !dossier.any(|person, _| person.work == Work::PublicServicePost);
        let monitored = dossier
            .in_case(|case| case.is_monitored() && case.has_done(MeasureFamily::PublicServicePost, dossier.today));
        nobody && monitored
    }),
    Rule::warn(
        705,
        "住房帮扶完成后住房仍为C、D级",
        "the dwelling was mended, but is dangerous",
        |dossier| {
            without_effect(dossier, MeasureFamily::Housing, 0, |newest| {
                matches!(newest.housing_grade, HousingGrade::C | HousingGrade::D)
            })
        },
    ),
    Rule::warn(706, "饮水帮扶完成后饮水仍不安全", "the water was seen to, but is unsafe", |dossier| {
        without_effect(dossier, MeasureFamily::Water, 0, |newest| !newest.water_safe)
    }),
    Rule::warn(
        707,
        "义务教育帮扶完成后仍无保障",
        "schooling was seen to, but is not guaranteed",
        |dossier| without_effect(dossier, MeasureFamily::CompulsoryEducation, 0, |newest| !newest.schooling_guaranteed),
    ),
    Rule::warn(
        708,
        "综合保障帮扶完成而无低保或特困",
        "support was arranged, but there is none",
        |dossier| {
            dossier.support == SocialSupport::None
                && dossier.in_case(|case| {
                    case.is_monitored() && case.has_done(MeasureFamily::ComprehensiveSecurity, dossier.today)
                })
        },
    ),
];

/// Whether an observation some months after a measure still shows the need, for a household under monitoring. Removed
/// households are covered by the rules about removals.
fn without_effect(dossier: &Dossier, family: MeasureFamily, months: u32, need: impl Fn(&Newest) -> bool) -> bool {
    !dossier.is_removed() && is_need_seen(dossier, family, months, need)
}

/// The same for a household that is or was under monitoring.
fn is_need_seen(dossier: &Dossier, family: MeasureFamily, months: u32, need: impl Fn(&Newest) -> bool) -> bool {
    let Some(newest) = &dossier.newest else { return false };
    let Some(before) = newest.window_ends_on.checked_sub_months(chrono::Months::new(months)) else { return false };
    need(newest) && dossier.in_case(|case| case.identified_on.is_some() && case.has_done(family, before))
}
