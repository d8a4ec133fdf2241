//! Scorecards: the figures of a region on a day.

use std::collections::HashMap;

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;

use super::indicators::{CATALOGUE, Indicator, Kind};

/// 100 % in hundredths of a percent.
const WHOLE: i128 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scorecard {
    pub region: RegionCode,
    pub region_name: String,
    /// First day on which the region's code is valid.
    pub valid_from: NaiveDate,
    /// Exclusive.
    pub valid_until: Option<NaiveDate>,
    pub as_of: NaiveDate,
    /// One per indicator, in the catalogue's order.
    pub figures: Vec<Figure>,
    /// The log positions that it is computed from.
    pub heads: Vec<Head>,
}

impl Scorecard {
    /// The scorecard for callers without permission for figures about persons: without these figures, and without the
    /// log positions that they are computed from, because each such event advances them.
    #[must_use]
    pub fn without_persons(mut self) -> Self {
        let about_persons = || CATALOGUE.iter().filter(|indicator| indicator.about_persons);
        self.figures.retain(|figure| !figure.indicator.about_persons);
        self.heads.retain(|head| about_persons().all(|indicator| indicator.source() != Some(head.source.as_str())));
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub indicator: &'static Indicator,
    /// Ratios in hundredths of a percent, rounded down.
    pub value: i64,
    /// Part and whole of a ratio.
    pub ratio: Option<(i64, i64)>,
}

/// How far a service's log is projected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Head {
    pub source: String,
    pub epoch: i64,
    /// Number of the newest projected event.
    pub seq: i64,
}

/// Sums of an indicator's facts up to a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub ever: i64,
    /// Of the day's calendar year.
    pub in_year: i64,
}

/// Sums of facts by indicator, only of indicators with facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts(HashMap<String, Sums>);

impl FromIterator<(String, Sums)> for Amounts {
    fn from_iter<All: IntoIterator<Item = (String, Sums)>>(sums: All) -> Self {
        Self(sums.into_iter().collect())
    }
}

impl Amounts {
    pub fn put(&mut self, indicator: String, sums: Sums) {
        self.0.insert(indicator, sums);
    }

    fn of(&self, indicator: &Indicator) -> Sums {
        self.0.get(indicator.id).copied().unwrap_or_default()
    }

    /// All figures, in the catalogue's order.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        CATALOGUE.iter().map(|indicator| self.figure(indicator)).collect()
    }

    fn figure(&self, indicator: &'static Indicator) -> Figure {
        let count = |value| Figure { indicator, value, ratio: None };
        match indicator.kind {
            Kind::Stock => count(self.of(indicator).ever),
            Kind::Flow => count(self.of(indicator).in_year),
            Kind::FlowOf(stock) => count(self.of(stock).in_year),
            Kind::Ratio { part, whole } => {
                let (part, whole) = (self.of(part).ever, self.of(whole).ever);
                Figure { indicator, value: share(part, whole), ratio: Some((part, whole)) }
            }
        }
    }
}

/// Rounded down, so that 100 % means all; 0 if the whole is 0.
fn share(part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let share = (i128::from(part) * WHOLE).div_euclid(i128::from(whole));
    i64::try_from(share).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(sums: &[(&str, i64, i64)]) -> Vec<Figure> {
        let amounts =
            sums.iter().map(|(id, ever, in_year)| ((*id).to_owned(), Sums { ever: *ever, in_year: *in_year }));
        amounts.collect::<Amounts>().figures()
    }

    #[test]
    fn only_all_is_a_hundred_percent() {
        assert_eq!(share(289, 289), 10_000);
        assert_eq!(share(288, 289), 9_965);
        assert_eq!(share(999_999, 1_000_000), 9_999);
    }

    #[test]
    fn nothing_of_nothing_is_no_share() {
        assert_eq!(share(0, 0), 0);
        assert_eq!(share(i64::MAX, 1), i64::MAX);
    }

    #[test]
    fn a_ratio_shows_its_part_and_its_whole() {
        let figures = figures(&[("villages_party_paired", 1, 1), ("assisted_villages", 3, 0)]);
        let coverage = figures.iter().find(|figure| figure.indicator.id == "party_coverage").unwrap();
        assert_eq!((coverage.value, coverage.ratio), (3_333, Some((1, 3))));
        assert_eq!(figures.len(), CATALOGUE.len());
    }

    #[test]
    fn a_flow_counts_the_year_and_a_stock_all_time() {
        let figures = figures(&[("households_identified", 5, 2), ("joint_activities", 7, 4)]);
        let value = |id| figures.iter().find(|figure| figure.indicator.id == id).unwrap().value;
        assert_eq!((value("households_identified"), value("households_identified_in_year")), (5, 2));
        assert_eq!(value("joint_activities"), 4);
    }
}
