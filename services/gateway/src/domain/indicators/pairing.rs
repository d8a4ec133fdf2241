//! Indicators from pairing's events.

use super::{Indicator, Kind};

/// All of them, in the order of the scorecard.
pub static ALL: [&Indicator; 9] = [
    &SUPPORTER_PARTY_ORGANISATIONS_PAIRED,
    &VILLAGES_PARTY_PAIRED,
    &ASSISTED_VILLAGES,
    &PARTY_COVERAGE,
    &VILLAGES_DUAL_COVERED,
    &DUAL_COVERAGE,
    &SUPPORTER_SCHOOLS_PAIRED,
    &RECIPIENT_SCHOOLS_PAIRED,
    &JOINT_ACTIVITIES,
];

/// Supporting party organisations that have a pairing.
pub static SUPPORTER_PARTY_ORGANISATIONS_PAIRED: Indicator = Indicator {
    id: "supporter_party_organisations_paired",
    name_zh: "结对帮扶党组织数",
    name_en: "Supporting party organisations paired",
    unit: "organisations",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.OrganisationPairedChanged",
    definition: "Supporting party organisations with at least one party pairing in force with a recipient in the \
                 region, each counted once however many recipients it has there.",
    breakdown_of: None,
    about_persons: false,
    adds_up: false,
};

/// Villages covered under the rule `party`.
pub static VILLAGES_PARTY_PAIRED: Indicator = Indicator {
    id: "villages_party_paired",
    name_zh: "党组织结对覆盖村数",
    name_en: "Villages with a party pairing",
    unit: "villages",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.VillageCoverageChanged",
    definition: "Assisted villages that are covered under the coverage rule `party`: their party organisation has \
                 at least one party pairing in force.",
    breakdown_of: None,
    about_persons: false,
    adds_up: true,
};

/// Villages that are to be assisted.
pub static ASSISTED_VILLAGES: Indicator = Indicator {
    id: "assisted_villages",
    name_zh: "帮扶村数",
    name_en: "Assisted villages",
    unit: "villages",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.RegionAssistanceChanged",
    definition: "Administrative villages of the register that count as assisted.",
    breakdown_of: None,
    about_persons: false,
    adds_up: true,
};

/// Share of assisted villages covered under the rule `party`.
pub static PARTY_COVERAGE: Indicator = Indicator {
    id: "party_coverage",
    name_zh: "党组织结对覆盖率",
    name_en: "Party pairing coverage",
    unit: "percent",
    kind: Kind::Ratio { part: &VILLAGES_PARTY_PAIRED, whole: &ASSISTED_VILLAGES },
    source_event: "",
    definition: "Villages with a party pairing among the assisted villages.",
    breakdown_of: None,
    about_persons: false,
    adds_up: false,
};

/// Villages covered under the rule `dual`.
pub static VILLAGES_DUAL_COVERED: Indicator = Indicator {
    id: "villages_dual_covered",
    name_zh: "双覆盖村数",
    name_en: "Villages with dual coverage",
    unit: "villages",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.VillageCoverageChanged",
    definition: "Assisted villages that are covered under the coverage rule `dual`: their party organisation is \
                 paired with at least one of a support unit and at least one of an enterprise.",
    breakdown_of: None,
    about_persons: false,
    adds_up: true,
};

/// Share of assisted villages covered under the rule `dual`.
pub static DUAL_COVERAGE: Indicator = Indicator {
    id: "dual_coverage",
    name_zh: "双覆盖率",
    name_en: "Dual coverage",
    unit: "percent",
    kind: Kind::Ratio { part: &VILLAGES_DUAL_COVERED, whole: &ASSISTED_VILLAGES },
    source_event: "",
    definition: "Villages with dual coverage among the assisted villages.",
    breakdown_of: None,
    about_persons: false,
    adds_up: false,
};

/// Supporting schools that have a pairing.
pub static SUPPORTER_SCHOOLS_PAIRED: Indicator = Indicator {
    id: "supporter_schools_paired",
    name_zh: "结对帮扶学校数",
    name_en: "Supporting schools paired",
    unit: "schools",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.OrganisationPairedChanged",
    definition: "Supporting schools with at least one school pairing in force with a recipient in the region, each \
                 counted once however many recipients it has there.",
    breakdown_of: None,
    about_persons: false,
    adds_up: false,
};

/// Supported schools that have a pairing.
pub static RECIPIENT_SCHOOLS_PAIRED: Indicator = Indicator {
    id: "recipient_schools_paired",
    name_zh: "受帮扶学校数",
    name_en: "Supported schools paired",
    unit: "schools",
    kind: Kind::Stock,
    source_event: "tongxin.pairing.v1.OrganisationPairedChanged",
    definition: "Schools of the region with at least one school pairing in force, each counted once however many \
                 supporters it has.",
    breakdown_of: None,
    about_persons: false,
    adds_up: false,
};

/// Joint activities of paired organisations.
pub static JOINT_ACTIVITIES: Indicator = Indicator {
    id: "joint_activities",
    name_zh: "共建活动次数",
    name_en: "Joint activities",
    unit: "activities",
    kind: Kind::Flow,
    source_event: "tongxin.pairing.v1.JointActivityHeld",
    definition: "Joint activities that paired organisations held, from 1 January of the year up to the day.",
    breakdown_of: None,
    about_persons: false,
    adds_up: true,
};
