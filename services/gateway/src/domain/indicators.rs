//! The catalogue: every indicator once.

use chrono::{Datelike as _, NaiveDate};

/// The contract has no day before this one.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("the calendar begins with it");

/// Something that a scorecard shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Stable identifier.
    pub id: &'static str,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// Name in English.
    pub name_en: &'static str,
    /// Unit in the plural.
    pub unit: &'static str,
    /// How its value comes about.
    pub kind: Kind,
    /// Full name of the event that contributes; empty for ratios.
    pub source_event: &'static str,
    /// What exactly is counted.
    pub definition: &'static str,
    /// Whether the figure of a region is the sum over the regions in it. Where it is not, events
    /// state what counts at each level.
    pub adds_up: bool,
}

/// How an indicator's value comes about.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Count on a day: all facts up to that day.
    Stock,
    /// Amount within a period: the facts of the calendar year up to the day.
    Flow,
    /// Share of one indicator in another.
    Ratio {
        /// The part.
        part: &'static Indicator,
        /// The whole.
        whole: &'static Indicator,
    },
}

impl Indicator {
    /// The first day whose facts count on a day; `None` for a ratio, which has no facts.
    #[must_use]
    pub fn counts_from(&self, as_of: NaiveDate) -> Option<NaiveDate> {
        match self.kind {
            Kind::Stock => Some(FIRST_DAY),
            Kind::Flow => as_of.with_ordinal(1),
            Kind::Ratio { .. } => None,
        }
    }
}

/// All indicators, in the order in which scorecards show them.
pub static CATALOGUE: [&Indicator; 9] = [
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
    adds_up: true,
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_identifier_is_given_twice() {
        let ids: HashSet<_> = CATALOGUE.iter().map(|indicator| indicator.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
    }

    #[test]
    fn a_ratio_divides_what_the_catalogue_counts() {
        for indicator in CATALOGUE {
            if let Kind::Ratio { part, whole } = &indicator.kind {
                assert!(CATALOGUE.contains(part) && CATALOGUE.contains(whole), "{}", indicator.id);
            }
        }
    }

    #[test]
    fn every_counted_event_is_in_the_contract() {
        for indicator in CATALOGUE {
            let is_ratio = matches!(indicator.kind, Kind::Ratio { .. });
            let is_known = tongxin_proto::POOL.get_message_by_name(indicator.source_event).is_some();
            assert_ne!(is_ratio, is_known, "{}", indicator.id);
        }
    }

    #[test]
    fn a_flow_begins_with_the_year_and_a_stock_with_time() {
        let day = NaiveDate::from_ymd_opt(2025, 3, 31).unwrap();
        assert_eq!(JOINT_ACTIVITIES.counts_from(day), NaiveDate::from_ymd_opt(2025, 1, 1));
        assert_eq!(ASSISTED_VILLAGES.counts_from(day), NaiveDate::from_ymd_opt(1, 1, 1));
        assert_eq!(PARTY_COVERAGE.counts_from(day), None);
    }
}
