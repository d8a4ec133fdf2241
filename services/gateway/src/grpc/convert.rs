//! Conversions between messages and domain types.

use chrono::{DateTime, NaiveDate, Utc};
use tongxin_platform::{clock::timestamp, region::RegionCode};
use tongxin_proto::gateway::v1;

use crate::{
    domain::{
        indicators::{Indicator, Kind},
        scorecard::{Figure, Head, Scorecard},
    },
    error::{Error, Refused},
};

/// The requested region and day.
pub(super) fn question(request: &v1::GetScorecardRequest, today: NaiveDate) -> Result<(RegionCode, NaiveDate), Error> {
    let region = RegionCode::parse(&request.region_code).map_err(Refused::from)?;
    let as_of = match request.as_of {
        Some(date) => date.try_into().map_err(|_| Refused::NotADate)?,
        None => today,
    };
    if as_of > today {
        return Err(Refused::DateInFuture(as_of).into());
    }
    Ok((region, as_of))
}

pub(super) fn answer(scorecard: Scorecard, now: DateTime<Utc>) -> v1::GetScorecardResponse {
    let scorecard = v1::Scorecard {
        region_code: scorecard.region.to_string(),
        region_name: scorecard.region_name,
        as_of: Some(scorecard.as_of.into()),
        figures: scorecard.figures.into_iter().map(Into::into).collect(),
        heads: scorecard.heads.into_iter().map(Into::into).collect(),
        compute_time: Some(timestamp(now)),
        valid_from: Some(scorecard.valid_from.into()),
        valid_until: scorecard.valid_until.map(Into::into),
    };
    v1::GetScorecardResponse { scorecard: Some(scorecard) }
}

impl From<Figure> for v1::Figure {
    fn from(figure: Figure) -> Self {
        let (numerator, denominator) = figure.ratio.unwrap_or_default();
        Self { indicator_id: figure.indicator.id.to_owned(), value: figure.value, numerator, denominator }
    }
}

impl From<Head> for v1::LogHead {
    fn from(head: Head) -> Self {
        Self { source: head.source, epoch: head.epoch, seq: head.seq }
    }
}

impl From<&Indicator> for v1::Indicator {
    fn from(indicator: &Indicator) -> Self {
        Self {
            indicator_id: indicator.id.to_owned(),
            name_zh: indicator.name_zh.to_owned(),
            name_en: indicator.name_en.to_owned(),
            unit: indicator.unit.to_owned(),
            kind: v1::IndicatorKind::from(&indicator.kind).into(),
            source_event: indicator.source_event.to_owned(),
            definition: indicator.definition.to_owned(),
            breakdown_of: indicator.breakdown_of.map(|whole| whole.id.to_owned()).unwrap_or_default(),
            flow_of: match indicator.kind {
                Kind::FlowOf(stock) => stock.id.to_owned(),
                Kind::Stock | Kind::Flow | Kind::Ratio { .. } => String::new(),
            },
            about_persons: indicator.about_persons,
        }
    }
}

impl From<&Kind> for v1::IndicatorKind {
    fn from(kind: &Kind) -> Self {
        match kind {
            Kind::Stock => Self::Stock,
            Kind::Flow | Kind::FlowOf(_) => Self::Flow,
            Kind::Ratio { .. } => Self::Ratio,
        }
    }
}
