//! All indicators, and what holds of each.

use std::sync::LazyLock;

use super::{Indicator, monitoring, pairing};

/// All indicators, in the order in which scorecards show them.
pub static CATALOGUE: LazyLock<Vec<&'static Indicator>> =
    LazyLock::new(|| pairing::ALL.into_iter().chain(monitoring::all()).collect());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::indicators::Kind;

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
