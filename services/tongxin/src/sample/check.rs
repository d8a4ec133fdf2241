//! Compares scorecards with the published figures.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use tongxin_proto::gateway::v1::Figure;

use super::files::{Files, Published};
use crate::{
    client::Gateway,
    figures::Card,
    lang::{lang, told},
};

/// Published figures with another name than their indicator.
const OTHER_NAMES: [(&str, &str); 1] = [("villages_dual_covered_taiping", "villages_dual_covered")];

pub struct Comparison {
    cards: Vec<(RegionCode, Card)>,
    published: Vec<Published>,
}

/// Requests the scorecards of all regions with published figures of known indicators.
pub async fn compare(gateway: &Gateway, files: &Files) -> Result<Comparison> {
    let as_of = files.manifest.as_of;
    let main = Card::of(gateway, files.manifest.region, Some(as_of)).await?;
    let known = |figure: &&Published| is_on(as_of, figure) && main.figure(indicator(figure)).is_some();
    let published: Vec<_> = files.published.iter().filter(known).cloned().collect();
    let regions: BTreeSet<_> = published.iter().map(|figure| figure.region_code).collect();
    let mut cards = vec![(files.manifest.region, main)];
    for region in regions {
        if region != files.manifest.region {
            cards.push((region, Card::of(gateway, region, Some(as_of)).await?));
        }
    }
    Ok(Comparison { cards, published })
}

impl Comparison {
    /// The scorecards, with a mark at each published figure.
    pub fn text(&self) -> String {
        let parts = self.cards.iter().map(|(region, card)| {
            let remark = |figure: &Figure| self.remark(*region, figure);
            format!("{}\n\n{}", card.title(), card.table(false, remark))
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    pub fn compared(&self) -> usize {
        self.published.len()
    }

    /// Published figures that the scorecards do not confirm.
    pub fn differing(&self) -> Vec<&str> {
        let differs = |published: &&Published| !self.confirms(published);
        self.published.iter().filter(differs).map(|published| published.indicator.as_str()).collect()
    }

    fn remark(&self, region: RegionCode, figure: &Figure) -> String {
        let about =
            |published: &&Published| published.region_code == region && indicator(published) == figure.indicator_id;
        let Some(published) = self.published.iter().find(about) else { return String::new() };
        let mark = if self.confirms(published) { "✓" } else { "✗" };
        let Published { value, exactness, .. } = published;
        let meant = meant(exactness);
        told!("{mark} published: {value} ({exactness})", "{mark} 公布的数字：{value}（{meant}）")
    }

    fn confirms(&self, published: &Published) -> bool {
        let card = self.cards.iter().find(|(region, _)| *region == published.region_code);
        let Some((_, card)) = card else { return false };
        let Some(figure) = card.figure(indicator(published)) else { return false };
        let all = card.figure("assisted_villages").map(|figure| figure.value);
        agrees(figure.value, published.value, &published.exactness, all)
    }
}

/// Whether a value agrees with a published one, as exactly as that is meant.
fn agrees(value: i64, published: i64, exactness: &str, all_villages: Option<i64>) -> bool {
    match exactness {
        "exact" => value == published,
        "every village of the town" => value == published && Some(value) == all_villages,
        "at least" => value >= published,
        "more than" => value > published,
        // Within a twentieth.
        "about" => (value - published).abs().saturating_mul(20) <= published,
        _ => false,
    }
}

/// How exactly a figure is meant, in the language of the command.
fn meant(exactness: &str) -> &str {
    let zh = match exactness {
        "exact" => "准确数",
        "every village of the town" => "全镇每个村",
        "at least" => "至少",
        "more than" => "超过",
        "about" => "大约",
        other => other,
    };
    lang().of(exactness, zh)
}

fn indicator(published: &Published) -> &str {
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == published.indicator);
    other.map_or(&published.indicator, |(_, indicator)| indicator)
}

/// Whether a figure's day or period is shown by the scorecard of a day.
fn is_on(as_of: NaiveDate, published: &Published) -> bool {
    let period = published.period.trim_start_matches("to ");
    period == as_of.to_string() || period == as_of.format("%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_as_exactly_as_they_were_meant() {
        for (value, published, exactness, expected) in [
            (289, 289, "exact", true),
            (288, 289, "exact", false),
            (290, 289, "at least", true),
            (288, 289, "at least", false),
            (600, 600, "more than", false),
            (601, 600, "more than", true),
            (960, 1_000, "about", true),
            (900, 1_000, "about", false),
            (12, 12, "roughly", false),
        ] {
            assert_eq!(agrees(value, published, exactness, None), expected, "{value} {exactness} {published}");
        }
    }

    #[test]
    fn every_village_means_all_there_are() {
        assert!(agrees(12, 12, "every village of the town", Some(12)));
        assert!(!agrees(12, 12, "every village of the town", Some(13)));
        assert!(!agrees(12, 12, "every village of the town", None));
    }
}
