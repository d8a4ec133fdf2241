//! The figures on `/metrics`, from province to town.
//!
//! They bypass OpenTelemetry, which keeps at most 2,000 series per instrument: a province has tens of thousands.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::{Gauge, LabelPair, Metric, MetricFamily, MetricType},
};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tongxin_platform::{clock::Clock, error::chain, region::RegionCode};
use tracing::warn;

use crate::{
    domain::scorecard::{Figure, Head},
    store::scorecards,
};

const NAME: &str = "tongxin_figure";
const HELP: &str = "Figures of today's scorecards; ratios in hundredths of a percent";
const LABELS: [&str; 3] = ["indicator", "level", "region"];

/// Minimum pause between two checks for new figures.
const PAUSE: Duration = Duration::from_secs(2);

/// Minimum pause as a multiple of the duration of a check: a whole province has many figures.
const SHARE: u32 = 20;

/// Exports the newest figures as metrics.
pub struct Figures {
    pool: PgPool,
    clock: Clock,
    most_regions: u32,
    shown: Shown,
}

/// What figures depend on: log positions, and the minute, because days change, and retried events that had been parked
/// do not advance a position.
type State = (Vec<Head>, i64);

impl Figures {
    /// Exports the figures of at most `most_regions` regions, once it [`run`](Self::run)s.
    pub fn new(pool: PgPool, clock: Clock, most_regions: u32, registry: &Registry) -> Result<Self, prometheus::Error> {
        let shown = Shown::new()?;
        registry.register(Box::new(shown.clone()))?;
        Ok(Self { pool, clock, most_regions, shown })
    }

    /// Keeps the exported figures up to date.
    pub async fn run(self, stop: CancellationToken) {
        let mut state = None;
        while !stop.is_cancelled() {
            let begun = Instant::now();
            match self.refresh(state.as_ref()).await {
                Ok(refreshed) => state = Some(refreshed),
                Err(error) => warn!(error = chain(&error), "the metrics do not show the newest figures"),
            }
            let pause = PAUSE.max(begun.elapsed() * SHARE);
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Reads the figures if the projection advanced, here or in another replica.
    async fn refresh(&self, before: Option<&State>) -> Result<State, sqlx::Error> {
        let heads = scorecards::heads(&mut *self.pool.acquire().await?).await?;
        let state = (heads, self.clock.now().timestamp().div_euclid(60));
        if before != Some(&state) {
            let amounts = scorecards::upper_levels(&self.pool, self.clock.today(), self.most_regions).await?;
            let figures = amounts.into_iter().flat_map(|(region, amounts)| series(region, &amounts.figures()));
            self.shown.put(figures.collect());
        }
        Ok(state)
    }
}

/// The exported series.
#[derive(Clone)]
struct Shown {
    description: Desc,
    series: Arc<RwLock<Vec<Metric>>>,
}

impl Shown {
    fn new() -> Result<Self, prometheus::Error> {
        let labels = LABELS.map(str::to_owned).to_vec();
        let description = Desc::new(NAME.to_owned(), HELP.to_owned(), labels, [].into())?;
        Ok(Self { description, series: Arc::default() })
    }

    /// Replaces all at once, so that a scrape never mixes two states.
    fn put(&self, series: Vec<Metric>) {
        *self.series.write().unwrap_or_else(PoisonError::into_inner) = series;
    }
}

impl Collector for Shown {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(NAME.to_owned());
        family.set_help(HELP.to_owned());
        family.set_field_type(MetricType::GAUGE);
        family.set_metric(self.series.read().unwrap_or_else(PoisonError::into_inner).clone());
        vec![family]
    }
}

fn series(region: RegionCode, figures: &[Figure]) -> Vec<Metric> {
    let (code, level) = (region.to_string(), region.level().name());
    // Breakdowns are only in the API: they would make six times as many series.
    let wholes = figures.iter().filter(|figure| figure.indicator.breakdown_of.is_none());
    wholes.map(|figure| metric(figure.value, [figure.indicator.id, level, &code])).collect()
}

fn metric(value: i64, labels: [&str; 3]) -> Metric {
    let pair = |(name, value): (&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    };
    let mut gauge = Gauge::default();
    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
    gauge.set_value(value as f64);
    let mut metric = Metric::from_label(LABELS.into_iter().zip(labels).map(pair).collect());
    metric.set_gauge(gauge);
    metric
}
