//! The catalogue: every indicator once, one file for each service whose events are counted.

pub mod monitoring;
pub mod pairing;

use std::sync::LazyLock;

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
    /// The indicator that it breaks down by a category or a risk.
    pub breakdown_of: Option<&'static Indicator>,
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
pub static CATALOGUE: LazyLock<Vec<&'static Indicator>> =
    LazyLock::new(|| pairing::ALL.into_iter().chain(monitoring::all()).collect());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{
        pairing::{ASSISTED_VILLAGES, JOINT_ACTIVITIES, PARTY_COVERAGE},
        *,
    };

    #[test]
    fn no_identifier_is_given_twice() {
        let ids: HashSet<_> = CATALOGUE.iter().map(|indicator| indicator.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
    }

    #[test]
    fn a_ratio_divides_what_the_catalogue_counts() {
        for indicator in CATALOGUE.iter() {
            if let Kind::Ratio { part, whole } = &indicator.kind {
                assert!(CATALOGUE.contains(part) && CATALOGUE.contains(whole), "{}", indicator.id);
            }
        }
    }

    #[test]
    fn every_counted_event_is_in_the_contract() {
        for indicator in CATALOGUE.iter() {
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

    #[test]
    fn a_breakdown_counts_what_it_breaks_down() {
        for indicator in CATALOGUE.iter() {
            if let Some(whole) = indicator.breakdown_of {
                assert!(CATALOGUE.contains(&whole) && whole.breakdown_of.is_none(), "{}", indicator.id);
                assert_eq!((indicator.unit, &indicator.kind), (whole.unit, &whole.kind), "{}", indicator.id);
            }
        }
    }
}
