//! Collective income of villages, and its dated tiers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tongxin_platform::{day::Day, error::Refusal, named, region::RegionCode, timeline::Timeline};

named! {
    /// Source of a village's collective income.
    pub enum IncomeKind {
        Operating = "operating",
        /// Contracting and leasing.
        Contracting = "contracting",
        Investment = "investment",
        Other = "other",
    }
}

/// Amounts of a year by kind, in fen, at least 0 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    pub operating: i64,
    pub contracting: i64,
    pub investment: i64,
    pub other: i64,
}

/// Why something cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum IncomeRefused {
    /// A kind has two amounts.
    #[error("the kind {} has two amounts", .0.name())]
    #[refusal(Invalid, "KIND_TWICE", field = "amounts")]
    KindTwice(IncomeKind),

    /// An amount is below 0.
    #[error("the amount of the kind {} is below 0: what was lost is no income", .0.name())]
    #[refusal(Invalid, "AMOUNT_NEGATIVE", field = "amounts")]
    AmountNegative(IncomeKind),

    /// Only administrative villages have a collective income.
    #[error("{0} is not an administrative village")]
    #[refusal(Invalid, "REGION_LEVEL_WRONG", field = "region_code")]
    NotAVillage(RegionCode),
}

impl Amounts {
    /// Amounts by kind, each at most once; missing kinds are 0.
    pub fn of(stated: &[(IncomeKind, i64)]) -> Result<Self, IncomeRefused> {
        let mut kinds = BTreeSet::new();
        let mut amounts = Self::default();
        for (kind, amount) in stated {
            if !kinds.insert(*kind) {
                return Err(IncomeRefused::KindTwice(*kind));
            }
            if *amount < 0 {
                return Err(IncomeRefused::AmountNegative(*kind));
            }
            *amounts.slot(*kind) = *amount;
        }
        Ok(amounts)
    }

    #[must_use]
    pub fn by_kind(mut self) -> Vec<(IncomeKind, i64)> {
        IncomeKind::ALL.iter().map(|kind| (*kind, *self.slot(*kind))).collect()
    }

    #[must_use]
    pub const fn total(self) -> i64 {
        self.operating + self.contracting + self.investment + self.other
    }

    const fn slot(&mut self, kind: IncomeKind) -> &mut i64 {
        match kind {
            IncomeKind::Operating => &mut self.operating,
            IncomeKind::Contracting => &mut self.contracting,
            IncomeKind::Investment => &mut self.investment,
            IncomeKind::Other => &mut self.other,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VillageIncome {
    pub region: RegionCode,
    pub year: i32,
    pub amounts: Amounts,
    /// Names of the tiers that it is above, lowest first, as they were counted.
    pub tiers: Vec<String>,
    /// Rises by one with each correction, from 1.
    pub version: i64,
}

/// The last day of a year: its income counts from then on.
#[must_use]
pub fn last_day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 12, 31).unwrap_or(NaiveDate::MAX)
}

/// Tiers by the first day of the years that they apply to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomeTiers(BTreeMap<NaiveDate, Vec<Tier>>);

/// A village is in a tier when its income is above the bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// For example `over_100k`.
    pub name: String,
    /// In fen, at least 0.
    pub above_fen: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scheme {
    from: Day,
    tiers: Vec<Tier>,
}

impl IncomeTiers {
    /// Names of the tiers that an income is above, lowest first; none in years before the first tiers.
    #[must_use]
    pub fn above(&self, year: i32, total_fen: i64) -> Vec<String> {
        let in_force = self.0.range(..=last_day(year)).next_back();
        let tiers = in_force.map_or(&[][..], |(_, tiers)| tiers);
        tiers.iter().filter(|tier| total_fen > tier.above_fen).map(|tier| tier.name.clone()).collect()
    }
}

impl Default for IncomeTiers {
    /// More than 100,000, 500,000 and 1,000,000 yuan, from 2021 on.
    fn default() -> Self {
        let tier = |name: &str, yuan: i64| Tier { name: name.to_owned(), above_fen: yuan * 100 };
        let tiers = vec![tier("over_100k", 100_000), tier("over_500k", 500_000), tier("over_1m", 1_000_000)];
        let from = NaiveDate::from_ymd_opt(2021, 1, 1).unwrap_or_default();
        Self(BTreeMap::from([(from, tiers)]))
    }
}

/// A list of `from` with `tiers`, each a `name` with `above_fen`.
impl<'de> Deserialize<'de> for IncomeTiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut schemes = BTreeMap::new();
        for Scheme { from: Day(from), mut tiers } in Vec::<Scheme>::deserialize(deserializer)? {
            tiers.sort_by_key(|tier| tier.above_fen);
            let names: BTreeSet<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
            if names.len() != tiers.len() || tiers.iter().any(|tier| tier.name.is_empty() || tier.above_fen < 0) {
                return Err(de::Error::custom("each tier needs a name of its own and a bound of at least 0"));
            }
            if schemes.insert(from, tiers).is_some() {
                return Err(de::Error::custom(format!("two lists of tiers begin on {from}")));
            }
        }
        Ok(Self(schemes))
    }
}

/// A village enters or leaves a tier on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierChange {
    pub tier: String,
    /// First day on which the change counts.
    pub on: NaiveDate,
    /// +1 or -1.
    pub change: i32,
}

/// Tier changes when a village's incomes, one per year, are replaced. A village is in the tiers of a year from its last
/// day until the next known year.
#[must_use]
pub fn tier_changes(before: &[VillageIncome], now: &[VillageIncome]) -> Vec<TierChange> {
    let names: BTreeSet<&String> = before.iter().chain(now).flat_map(|income| &income.tiers).collect();
    let mut changes = Vec::new();
    for tier in names {
        for (on, change) in timeline(now, tier).since(&timeline(before, tier)) {
            changes.push(TierChange { tier: tier.clone(), on, change });
        }
    }
    changes
}

fn timeline(incomes: &[VillageIncome], tier: &String) -> Timeline {
    let known: BTreeMap<NaiveDate, bool> =
        incomes.iter().map(|income| (last_day(income.year), income.tiers.contains(tier))).collect();
    Timeline::of(known.keys().copied(), |day| known.get(&day).copied().unwrap_or_default())
}

impl Serialize for IncomeTiers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(from, tiers)| Scheme { from: Day(*from), tiers: tiers.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YUAN: i64 = 100;

    fn income(year: i32, yuan: i64) -> VillageIncome {
        let amounts = Amounts { operating: yuan * YUAN, ..Amounts::default() };
        let region = RegionCode::parse("441823107201").unwrap();
        VillageIncome { region, year, amounts, tiers: IncomeTiers::default().above(year, amounts.total()), version: 1 }
    }

    fn listed(changes: &[TierChange]) -> Vec<(&str, String, i32)> {
        changes.iter().map(|change| (change.tier.as_str(), change.on.to_string(), change.change)).collect()
    }

    #[test]
    fn above_means_more_than_the_bound() {
        let tiers = IncomeTiers::default();
        assert_eq!(tiers.above(2025, 100_000 * YUAN), Vec::<String>::new());
        assert_eq!(tiers.above(2025, 100_000 * YUAN + 1), ["over_100k"]);
        assert_eq!(tiers.above(2025, 1_000_000 * YUAN + 1), ["over_100k", "over_500k", "over_1m"]);
        assert_eq!(tiers.above(2020, 1_000_000 * YUAN + 1), Vec::<String>::new());
    }

    #[test]
    fn newer_tiers_hold_from_their_first_year() {
        let text = r#"[
            {"from": "2024-01-01", "tiers": [{"name": "rich", "above_fen": 900}, {"name": "poor", "above_fen": 0}]},
            {"from": "2026-01-01", "tiers": [{"name": "rich", "above_fen": 5000}]}
        ]"#;
        let tiers: IncomeTiers = serde_json::from_str(text).unwrap();
        assert_eq!(tiers.above(2023, 1_000), Vec::<String>::new());
        assert_eq!(tiers.above(2025, 1_000), ["poor", "rich"]);
        assert_eq!(tiers.above(2026, 1_000), Vec::<String>::new());
        assert_eq!(serde_json::from_value::<IncomeTiers>(serde_json::to_value(&tiers).unwrap()).unwrap(), tiers);
    }

    #[test]
    fn tiers_that_contradict_themselves_are_refused() {
        for text in [
            r#"[{"from": "2024-01-01", "tiers": []}, {"from": "2024-01-01", "tiers": []}]"#,
            r#"[{"from": "2024-01-01", "tiers": [{"name": "a", "above_fen": 1}, {"name": "a", "above_fen": 2}]}]"#,
            r#"[{"from": "2024-01-01", "tiers": [{"name": "a", "above_fen": -1}]}]"#,
            r#"[{"from": "24-01-01", "tiers": [{"name": "a", "above_fen": 1}]}]"#,
            r#"[{"from": "2024-01-01", "tiers": [{"name": "a", "above_fen": 1, "below_fen": 2}]}]"#,
        ] {
            assert!(serde_json::from_str::<IncomeTiers>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_kind_has_one_amount() {
        let amounts = Amounts::of(&[(IncomeKind::Investment, 5), (IncomeKind::Other, 2)]).unwrap();
        assert_eq!((amounts.investment, amounts.other, amounts.total()), (5, 2, 7));
        assert_eq!(amounts.by_kind()[2], (IncomeKind::Investment, 5));
        let twice = Amounts::of(&[(IncomeKind::Other, 5), (IncomeKind::Other, 5)]);
        assert_eq!(twice, Err(IncomeRefused::KindTwice(IncomeKind::Other)));
        let lost = Amounts::of(&[(IncomeKind::Other, -1)]);
        assert_eq!(lost, Err(IncomeRefused::AmountNegative(IncomeKind::Other)));
    }

    #[test]
    fn a_village_rises_and_falls_on_the_last_days_of_years() {
        let (rich, poor) = (income(2023, 600_000), income(2024, 200_000));
        let rises = tier_changes(&[], std::slice::from_ref(&rich));
        assert_eq!(
            listed(&rises),
            [("over_100k", "2023-12-31".to_owned(), 1), ("over_500k", "2023-12-31".to_owned(), 1)]
        );
        let falls = tier_changes(std::slice::from_ref(&rich), &[rich.clone(), poor]);
        assert_eq!(listed(&falls), [("over_500k", "2024-12-31".to_owned(), -1)]);
    }

    #[test]
    fn a_correction_sends_the_opposite() {
        let (wrong, right) = (income(2024, 2_000_000), income(2024, 90_000));
        let changes = tier_changes(std::slice::from_ref(&wrong), std::slice::from_ref(&right));
        let opposite: Vec<_> =
            tier_changes(&[], &[wrong]).into_iter().map(|change| (change.tier, -change.change)).collect();
        assert_eq!(changes.into_iter().map(|change| (change.tier, change.change)).collect::<Vec<_>>(), opposite);
    }

    #[test]
    fn a_year_that_is_entered_late_takes_back_what_it_contradicts() {
        let (earlier, later) = (income(2022, 150_000), income(2024, 150_000));
        let before = [later.clone()];
        let changes = tier_changes(&before, &[earlier, later]);
        assert_eq!(
            listed(&changes),
            [("over_100k", "2022-12-31".to_owned(), 1), ("over_100k", "2024-12-31".to_owned(), -1)]
        );
    }
}
