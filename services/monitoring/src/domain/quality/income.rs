//! 401 to 499: income and spending, in fen.

use super::{Dossier, Rule};
use crate::domain::{household::SocialSupport, member::Work};

/// In fen.
const YUAN: i64 = 100;

/// Per-capita income of a year outside this range is implausible.
const PLAUSIBLE_PER_CAPITA: std::ops::Range<i64> = -100_000 * YUAN..500_000 * YUAN;

pub(super) const RULES: &[Rule] = &[
    Rule::warn(401, "18个月以上没有监测数据", "no observation in the last 18 months", |dossier| {
        let since = dossier.months_ago(18);
        dossier.observable_since.is_some_and(|day| day < since)
            && !dossier.observed(|newest| newest.window_ends_on >= since)
    }),
    Rule::warn(
        402,
        "有人务工半年以上而工资性收入为零",
        "somebody has a job for half a year, but no wages",
        |dossier| {
            dossier.any(|person, _| person.has_job() && person.work_months >= 6)
                && dossier.observed(|newest| newest.wages == 0)
        },
    ),
    Rule::warn(403, "无人务工却有工资性收入", "wages, but nobody works", |dossier| {
        let nobody_works = !dossier.members.is_empty()
            && !dossier.any(|person, _| person.work != Work::None || person.work_months > 0);
        nobody_works && dossier.observed(|newest| newest.wages > 0)
    }),
    Rule::warn(404, "享受低保或特困而转移性收入为零", "social support, but no transfers", |dossier| {
        dossier.support != SocialSupport::None && dossier.observed(|newest| newest.transfer == 0)
    }),
    Rule::warn(405, "经营支出远超经营收入", "business costs far more than it earns", |dossier| {
        dossier.observed(|newest| newest.business_expense > 2 * newest.business + 10_000 * YUAN)
    }),
    Rule::warn(406, "人均纯收入明显不合理", "net income of one person is implausible", |dossier| {
        dossier.observed(|newest| !PLAUSIBLE_PER_CAPITA.contains(&newest.per_capita_net_income))
    }),
    Rule::warn(407, "各项收入全部为零", "no income of any kind", |dossier| {
        let earned = |dossier: &Dossier| {
            dossier.observed(|newest| newest.wages + newest.business + newest.property + newest.transfer > 0)
        };
        dossier.newest.is_some() && !earned(dossier)
    }),
    Rule::warn(
        408,
        "人均纯收入比上年增长三倍以上",
        "net income of one person is more than four times last year's",
        |dossier| {
            dossier.observed(|newest| {
                let previous = newest.previous_per_capita_net_income.unwrap_or_default();
                previous > 0 && newest.per_capita_net_income > 4 * previous
            })
        },
    ),
    Rule::warn(
        409,
        "享受低保而人均纯收入超过监测线三倍",
        "subsistence allowance, but income of three times the line",
        |dossier| {
            let rich = |line: i64| dossier.observed(|newest| newest.per_capita_net_income > 3 * line);
            dossier.support == SocialSupport::Subsistence && dossier.line.is_some_and(rich)
        },
    ),
    Rule::warn(
        410,
        "无自付支出和灾损却有保险赔付",
        "insurance paid, but nothing was spent or lost",
        |dossier| {
            dossier.observed(|newest| newest.insurance_received > 0 && newest.out_of_pocket == 0 && newest.loss == 0)
        },
    ),
];
