//! 501 to 599: guarantees and support, and households that seem to need monitoring but are not under it.

use super::Rule;
use crate::domain::{household::SocialSupport, observation::HousingGrade};

pub(super) const RULES: &[Rule] = &[
    Rule::warn(
        501,
        "有儿童失学却登记义务教育有保障",
        "a child dropped out, but schooling is guaranteed",
        |dossier| {
            dossier.composition.children_out_of_school > 0 && dossier.observed(|newest| newest.schooling_guaranteed)
        },
    ),
    Rule::warn(
        502,
        "没有义务教育年龄儿童却登记义务教育无保障",
        "schooling is not guaranteed, but there is no child of school age",
        |dossier| {
            let has_child = dossier.members.is_empty() || dossier.any(|_, age| (6..16).contains(&age));
            !has_child
                && dossier.composition.children_out_of_school == 0
                && dossier.observed(|newest| !newest.schooling_guaranteed)
        },
    ),
    Rule::warn(
        503,
        "住房为C、D级而未纳入监测",
        "a dangerous dwelling, but not under monitoring",
        |dossier| {
            !dossier.is_known()
                && dossier.observed(|newest| matches!(newest.housing_grade, HousingGrade::C | HousingGrade::D))
        },
    ),
    Rule::warn(
        504,
        "人均纯收入低于监测线而未纳入监测",
        "income below the line, but not under monitoring",
        |dossier| !dossier.is_known() && dossier.is_below_line(),
    ),
    Rule::warn(505, "饮水不安全而未纳入监测", "unsafe water, but not under monitoring", |dossier| {
        !dossier.is_known() && dossier.observed(|newest| !newest.water_safe)
    }),
    Rule::warn(506, "特困供养户有劳动力", "support for extreme difficulty, but somebody can work", |dossier| {
        dossier.support == SocialSupport::ExtremeDifficulty && dossier.composition.labourers > 0
    }),
];
