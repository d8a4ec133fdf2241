//! Indicators from monitoring's events.

use std::sync::LazyLock;

use super::{Breakdown, Indicator, Kind};

const COUNT_CHANGED: &str = "tongxin.monitoring.v1.CountChanged";
const TIER_CHANGED: &str = "tongxin.monitoring.v1.VillageIncomeTierChanged";

/// All of them, in the order of the scorecard: a whole comes before its parts.
pub fn all() -> impl Iterator<Item = &'static Indicator> {
    let broken_down: [(&Indicator, &'static LazyLock<Breakdown>); 7] = [
        (&HOUSEHOLDS_UNDER_MONITORING, &UNDER_MONITORING),
        (&HOUSEHOLDS_IDENTIFIED, &IDENTIFIED),
        (&HOUSEHOLDS_REMOVED, &REMOVED),
        (&HOUSEHOLDS_RELAPSED, &RELAPSED),
        (&HOUSEHOLDS_IDENTIFIED_IN_YEAR, &IDENTIFIED_IN_YEAR),
        (&HOUSEHOLDS_REMOVED_IN_YEAR, &REMOVED_IN_YEAR),
        (&HOUSEHOLDS_RELAPSED_IN_YEAR, &RELAPSED_IN_YEAR),
    ];
    let with_parts = broken_down.into_iter().flat_map(|(whole, parts)| std::iter::once(whole).chain(parts.parts()));
    std::iter::once(&HOUSEHOLDS_REGISTERED).chain(with_parts).chain(OTHERS)
}

static OTHERS: [&Indicator; 8] = [
    &OPEN_SIGNALS,
    &OVERDUE_STEPS,
    &WARNING_SIGNALS,
    &WARNINGS_IDENTIFIED,
    &WARNING_PRECISION,
    &VILLAGES_INCOME_OVER_100K,
    &VILLAGES_INCOME_OVER_500K,
    &VILLAGES_INCOME_OVER_1M,
];

/// Households under monitoring, broken down.
pub static UNDER_MONITORING: LazyLock<Breakdown> = LazyLock::new(|| Breakdown::of(&HOUSEHOLDS_UNDER_MONITORING));

/// Households that were identified, broken down.
pub static IDENTIFIED: LazyLock<Breakdown> = LazyLock::new(|| Breakdown::of(&HOUSEHOLDS_IDENTIFIED));

/// Households that were removed, broken down.
pub static REMOVED: LazyLock<Breakdown> = LazyLock::new(|| Breakdown::of(&HOUSEHOLDS_REMOVED));

/// Households that relapsed, broken down.
pub static RELAPSED: LazyLock<Breakdown> = LazyLock::new(|| Breakdown::of(&HOUSEHOLDS_RELAPSED));

static IDENTIFIED_IN_YEAR: LazyLock<Breakdown> =
    LazyLock::new(|| Breakdown::flow_of(&HOUSEHOLDS_IDENTIFIED_IN_YEAR, &IDENTIFIED));

static REMOVED_IN_YEAR: LazyLock<Breakdown> =
    LazyLock::new(|| Breakdown::flow_of(&HOUSEHOLDS_REMOVED_IN_YEAR, &REMOVED));

static RELAPSED_IN_YEAR: LazyLock<Breakdown> =
    LazyLock::new(|| Breakdown::flow_of(&HOUSEHOLDS_RELAPSED_IN_YEAR, &RELAPSED));

/// A count from monitoring's events.
const fn count(
    (id, name_zh, name_en): (&'static str, &'static str, &'static str),
    unit: &'static str,
    kind: Kind,
    definition: &'static str,
) -> Indicator {
    Indicator {
        id,
        name_zh,
        name_en,
        unit,
        kind,
        source_event: COUNT_CHANGED,
        definition,
        breakdown_of: None,
        about_persons: true,
        adds_up: true,
    }
}

/// Registered households.
pub static HOUSEHOLDS_REGISTERED: Indicator = count(
    ("households_registered", "建档户数", "Registered households"),
    "households",
    Kind::Stock,
    "Households that count as registered, without those that were merged into others.",
);

/// Households under monitoring.
pub static HOUSEHOLDS_UNDER_MONITORING: Indicator = count(
    ("households_under_monitoring", "在册监测户数", "Households under monitoring"),
    "households",
    Kind::Stock,
    "Households that the county approved for monitoring and that were not removed since, where they live on the day.",
);

/// Households that were identified.
pub static HOUSEHOLDS_IDENTIFIED: Indicator = count(
    ("households_identified", "累计识别监测户数", "Households identified"),
    "households",
    Kind::Stock,
    "Cases in which the county approved a household for monitoring, all up to the day. One that relapsed counts again.",
);

/// Households that were removed.
pub static HOUSEHOLDS_REMOVED: Indicator = count(
    ("households_removed", "累计消除风险户数", "Households removed"),
    "households",
    Kind::Stock,
    "Cases in which the county approved that a household leaves monitoring, all up to the day, less those that were \
     rolled back.",
);

/// Households that relapsed.
pub static HOUSEHOLDS_RELAPSED: Indicator = count(
    ("households_relapsed", "累计返贫致贫风险再现户数", "Households relapsed"),
    "households",
    Kind::Stock,
    "Cases in which a household that had been removed was approved for monitoring again, all up to the day.",
);

/// Households that were identified within the year.
pub static HOUSEHOLDS_IDENTIFIED_IN_YEAR: Indicator = count(
    ("households_identified_in_year", "当年识别监测户数", "Households identified in the year"),
    "households",
    Kind::FlowOf(&HOUSEHOLDS_IDENTIFIED),
    "As households_identified, from 1 January of the year up to the day.",
);

/// Households that were removed within the year.
pub static HOUSEHOLDS_REMOVED_IN_YEAR: Indicator = count(
    ("households_removed_in_year", "当年消除风险户数", "Households removed in the year"),
    "households",
    Kind::FlowOf(&HOUSEHOLDS_REMOVED),
    "As households_removed, from 1 January of the year up to the day.",
);

/// Households that relapsed within the year.
pub static HOUSEHOLDS_RELAPSED_IN_YEAR: Indicator = count(
    ("households_relapsed_in_year", "当年风险再现户数", "Households relapsed in the year"),
    "households",
    Kind::FlowOf(&HOUSEHOLDS_RELAPSED),
    "As households_relapsed, from 1 January of the year up to the day.",
);

/// Signals that wait for verification.
pub static OPEN_SIGNALS: Indicator = count(
    ("open_signals", "待核实线索数", "Open signals"),
    "signals",
    Kind::Stock,
    "Signals, one for each household and cause, that were neither verified nor refuted.",
);

/// Steps that are not done by their due date.
pub static OVERDUE_STEPS: Indicator = count(
    ("overdue_steps", "逾期环节数", "Overdue steps"),
    "steps",
    Kind::Stock,
    "Steps of cases that were due before the day and not done by then.",
);

/// Signals that are based on a department's warning.
pub static WARNING_SIGNALS: Indicator = count(
    ("warning_signals", "部门预警线索数", "Signals from departments"),
    "signals",
    Kind::Stock,
    "Signals that rest on a warning of a department, all up to the day, each once however many departments warned.",
);

/// Warnings that led to an identified household.
pub static WARNINGS_IDENTIFIED: Indicator = count(
    ("warnings_identified", "预警识别户数", "Warnings that were right"),
    "signals",
    Kind::Stock,
    "Signals from departments for which a case was opened that the county approved.",
);

/// Share of warnings that led to an identified household.
pub static WARNING_PRECISION: Indicator = Indicator {
    id: "warning_precision",
    name_zh: "部门预警准确率",
    name_en: "Warning precision",
    unit: "percent",
    kind: Kind::Ratio { part: &WARNINGS_IDENTIFIED, whole: &WARNING_SIGNALS },
    source_event: "",
    definition: "Warnings that were right among the signals from departments.",
    breakdown_of: None,
    about_persons: true,
    adds_up: false,
};

/// Villages above a tier of collective income.
const fn tier(id: &'static str, name_zh: &'static str, name_en: &'static str, definition: &'static str) -> Indicator {
    let named = count((id, name_zh, name_en), "villages", Kind::Stock, definition);
    Indicator { source_event: TIER_CHANGED, about_persons: false, ..named }
}

/// Villages above 100,000 yuan.
pub static VILLAGES_INCOME_OVER_100K: Indicator = tier(
    "villages_income_over_100k",
    "村集体收入超10万元村数",
    "Villages with an income over 100,000 yuan",
    "Villages whose collective income of the last year that is recorded is above the tier over_100k.",
);

/// Villages above 500,000 yuan.
pub static VILLAGES_INCOME_OVER_500K: Indicator = tier(
    "villages_income_over_500k",
    "村集体收入超50万元村数",
    "Villages with an income over 500,000 yuan",
    "Villages whose collective income of the last year that is recorded is above the tier over_500k.",
);

/// Villages above 1,000,000 yuan.
pub static VILLAGES_INCOME_OVER_1M: Indicator = tier(
    "villages_income_over_1m",
    "村集体收入超100万元村数",
    "Villages with an income over 1,000,000 yuan",
    "Villages whose collective income of the last year that is recorded is above the tier over_1m.",
);
