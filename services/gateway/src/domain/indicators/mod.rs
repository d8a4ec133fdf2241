//! The catalogue: every indicator once, one file for each service whose events are counted.

mod breakdown;
pub mod monitoring;
pub mod pairing;

pub use self::breakdown::Breakdown;

use std::sync::LazyLock;

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
    /// Whether it counts households, cases or signals, or follows from such figures: a person more or less would show.
    pub about_persons: bool,
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
    /// What a stock changed by within the calendar year up to the day. It has no facts of its own.
    FlowOf(&'static Indicator),
    /// Share of one indicator in another.
    Ratio {
        /// The part.
        part: &'static Indicator,
        /// The whole.
        whole: &'static Indicator,
    },
}

impl Indicator {
    /// The service whose events add to it; of a ratio none.
    #[must_use]
    pub fn source(&self) -> Option<&'static str> {
        self.source_event.split('.').nth(1)
    }

    /// Whether events add to it; others follow from those that they do add to.
    #[must_use]
    pub fn has_facts(&self) -> bool {
        matches!(self.kind, Kind::Stock | Kind::Flow)
    }
}

/// All indicators, in the order in which scorecards show them.
pub static CATALOGUE: LazyLock<Vec<&'static Indicator>> =
    LazyLock::new(|| pairing::ALL.into_iter().chain(monitoring::all()).collect());

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
    fn what_follows_from_others_follows_from_what_the_catalogue_counts() {
        for indicator in CATALOGUE.iter() {
            match &indicator.kind {
                Kind::Ratio { part, whole } => assert!(CATALOGUE.contains(part) && CATALOGUE.contains(whole)),
                Kind::FlowOf(stock) => assert!(CATALOGUE.contains(stock) && stock.kind == Kind::Stock),
                Kind::Stock | Kind::Flow => {}
            }
        }
    }

    #[test]
    fn what_follows_from_figures_about_persons_is_about_persons() {
        for indicator in CATALOGUE.iter() {
            let sources = match &indicator.kind {
                Kind::Ratio { part, whole } => vec![*part, *whole],
                Kind::FlowOf(stock) => vec![*stock],
                Kind::Stock | Kind::Flow => indicator.breakdown_of.into_iter().collect(),
            };
            let follows = sources.iter().any(|source| source.about_persons);
            assert!(indicator.about_persons || !follows, "{}", indicator.id);
        }
    }

    #[test]
    fn whatever_counts_households_cases_or_signals_is_about_persons() {
        let counts_persons = "tongxin.monitoring.v1.CountChanged";
        let units = ["households", "signals", "steps"];
        for indicator in CATALOGUE.iter() {
            let counts = indicator.source_event == counts_persons || units.contains(&indicator.unit);
            assert_eq!(indicator.about_persons, counts || indicator.id == "warning_precision", "{}", indicator.id);
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
    fn a_breakdown_counts_what_it_breaks_down() {
        for indicator in CATALOGUE.iter() {
            if let Some(whole) = indicator.breakdown_of {
                assert!(CATALOGUE.contains(&whole) && whole.breakdown_of.is_none(), "{}", indicator.id);
                assert_eq!((indicator.unit, indicator.source_event), (whole.unit, whole.source_event));
                match (&indicator.kind, &whole.kind) {
                    (Kind::FlowOf(part), Kind::FlowOf(stock)) => assert_eq!(part.breakdown_of, Some(*stock)),
                    (part, whole) => assert_eq!(part, whole, "{}", indicator.id),
                }
            }
        }
    }
}
