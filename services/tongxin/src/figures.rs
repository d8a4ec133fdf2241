//! Scorecards as text and JSON.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use serde_json::{Value, json};
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    Date,
    gateway::v1::{Figure, GetScorecardRequest, Indicator, IndicatorKind, ListIndicatorsRequest, Scorecard},
};

use crate::{client::Gateway, lang::told, table};

/// A scorecard with the catalogue's names.
pub struct Card {
    scorecard: Scorecard,
    indicators: HashMap<String, Indicator>,
}

impl Card {
    pub async fn of(gateway: &Gateway, region: RegionCode, as_of: Option<NaiveDate>) -> Result<Self> {
        let listed = gateway.call(async || gateway.figures().list_indicators(ListIndicatorsRequest {}).await);
        let indicators = listed.await?.indicators;
        let request = GetScorecardRequest { region_code: region.to_string(), as_of: as_of.map(Into::into) };
        let answer = gateway.call(async || gateway.figures().get_scorecard(request.clone()).await).await?;
        let lacking = || told!("the gateway's answer has no scorecard", "网关的答复里没有指标总表");
        let scorecard = answer.scorecard.with_context(lacking)?;
        let named = |indicator: Indicator| (indicator.indicator_id.clone(), indicator);
        Ok(Self { scorecard, indicators: indicators.into_iter().map(named).collect() })
    }

    pub fn figure(&self, indicator: &str) -> Option<&Figure> {
        self.scorecard.figures.iter().find(|figure| figure.indicator_id == indicator)
    }

    /// Number of the newest event of a service that is projected.
    pub fn counted(&self, source: &str) -> i64 {
        let head = self.scorecard.heads.iter().find(|head| head.source == source);
        head.map_or(0, |head| head.seq)
    }

    pub fn title(&self) -> String {
        let Scorecard { region_code, region_name, .. } = &self.scorecard;
        told!(
            "{region_name} {region_code} as of {}{}",
            "{region_name} {region_code}，截至 {}{}",
            self.day(),
            validity(&self.scorecard)
        )
    }

    /// A table with a remark for some figures, with or without breakdowns.
    pub fn table(&self, breakdown: bool, remark: impl Fn(&Figure) -> String) -> String {
        let is_shown = |figure: &&Figure| breakdown || self.indicator(figure).breakdown_of.is_empty();
        let figures = self.scorecard.figures.iter().filter(is_shown);
        let rows: Vec<_> = figures.map(|figure| self.row(figure, remark(figure))).collect();
        table::render(&rows, &[2])
    }

    pub fn json(&self) -> Value {
        let heads = self.scorecard.heads.iter();
        json!({
            "region_code": self.scorecard.region_code,
            "region_name": self.scorecard.region_name,
            "valid_from": day(self.scorecard.valid_from),
            "valid_until": day(self.scorecard.valid_until),
            "as_of": self.day(),
            "figures": self.scorecard.figures.iter().map(|figure| self.figure_json(figure)).collect::<Vec<_>>(),
            "heads": heads.map(|head| json!({"source": head.source, "epoch": head.epoch, "seq": head.seq}))
                .collect::<Vec<_>>(),
        })
    }

    fn row(&self, figure: &Figure, remark: String) -> Vec<String> {
        let indicator = self.indicator(figure);
        let (value, unit) = if is_ratio(&indicator) {
            (share(figure), String::new())
        } else {
            (figure.value.to_string(), indicator.unit)
        };
        vec![indicator.name_zh, indicator.name_en, value, unit, remark]
    }

    fn figure_json(&self, figure: &Figure) -> Value {
        let indicator = self.indicator(figure);
        let mut json = json!({
            "indicator_id": figure.indicator_id,
            "name_zh": indicator.name_zh,
            "name_en": indicator.name_en,
            "unit": indicator.unit,
            "value": figure.value,
        });
        if is_ratio(&indicator) {
            json["unit"] = json!("hundredths of a percent");
            json["numerator"] = json!(figure.numerator);
            json["denominator"] = json!(figure.denominator);
        }
        json
    }

    /// A figure without a catalogue entry shows its identifier.
    fn indicator(&self, figure: &Figure) -> Indicator {
        let unknown = || Indicator { name_en: figure.indicator_id.clone(), ..Indicator::default() };
        self.indicators.get(&figure.indicator_id).cloned().unwrap_or_else(unknown)
    }

    fn day(&self) -> String {
        day(self.scorecard.as_of).unwrap_or_default()
    }
}

fn day(date: Option<Date>) -> Option<String> {
    Some(NaiveDate::try_from(date?).ok()?.to_string())
}

/// A remark if the region's code is not valid on the day.
fn validity(scorecard: &Scorecard) -> String {
    let Scorecard { valid_from, valid_until, as_of, .. } = scorecard;
    let [from, until, as_of] = [valid_from, valid_until, as_of].map(|date| day(*date));
    // As tuples, days compare in chronological order.
    match (from, until, as_of) {
        (_, Some(until), Some(as_of)) if as_of >= until => {
            told!(", withdrawn on {until}", "，区划代码已于 {until} 撤销")
        }
        (Some(from), _, Some(as_of)) if as_of < from => {
            told!(", not valid before {from}", "，区划代码自 {from} 起才有效")
        }
        _ => String::new(),
    }
}

fn is_ratio(indicator: &Indicator) -> bool {
    indicator.kind() == IndicatorKind::Ratio
}

/// A ratio with its parts, such as `12 of 289 (4.15 %)`.
fn share(figure: &Figure) -> String {
    let (whole, hundredths) = (figure.value / 100, figure.value % 100);
    let percent = if hundredths == 0 { whole.to_string() } else { format!("{whole}.{hundredths:02}") };
    told!("{} of {} ({percent} %)", "{}/{}（{percent}%）", figure.numerator, figure.denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_not_valid_on_the_day_is_marked() {
        let date = |year, month, day| Some(Date { year, month, day });
        let mut scorecard =
            Scorecard { valid_from: date(2023, 6, 30), valid_until: date(2025, 7, 1), ..Scorecard::default() };
        for (as_of, remark) in [
            (date(2023, 6, 29), ", not valid before 2023-06-30"),
            (date(2023, 6, 30), ""),
            (date(2025, 6, 30), ""),
            (date(2025, 7, 1), ", withdrawn on 2025-07-01"),
        ] {
            scorecard.as_of = as_of;
            assert_eq!(validity(&scorecard), remark, "{as_of:?}");
        }
    }

    #[test]
    fn a_share_shows_its_parts() {
        let figure = |value, numerator, denominator| Figure { value, numerator, denominator, ..Figure::default() };
        assert_eq!(share(&figure(10_000, 289, 289)), "289 of 289 (100 %)");
        assert_eq!(share(&figure(415, 12, 289)), "12 of 289 (4.15 %)");
        assert_eq!(share(&figure(9_905, 2, 3)), "2 of 3 (99.05 %)");
        assert_eq!(share(&figure(0, 0, 0)), "0 of 0 (0 %)");
    }

    #[test]
    fn breakdowns_are_folded_unless_they_are_asked_for() {
        let indicator = |id: &str, breakdown_of: &str| Indicator {
            indicator_id: id.to_owned(),
            name_en: id.to_owned(),
            breakdown_of: breakdown_of.to_owned(),
            ..Indicator::default()
        };
        let figure = |id: &str| Figure { indicator_id: id.to_owned(), ..Figure::default() };
        let indicators = [indicator("households", ""), indicator("households_by_water", "households")];
        let card = Card {
            scorecard: Scorecard {
                figures: indicators.each_ref().map(|of| figure(&of.indicator_id)).to_vec(),
                ..Scorecard::default()
            },
            indicators: indicators.into_iter().map(|of| (of.indicator_id.clone(), of)).collect(),
        };
        let (folded, whole) = (card.table(false, |_| String::new()), card.table(true, |_| String::new()));
        assert!(folded.contains("households") && !folded.contains("by_water"), "{folded}");
        assert!(whole.contains("households_by_water"), "{whole}");
    }
}
