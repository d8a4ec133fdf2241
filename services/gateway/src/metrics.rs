//! The figures on `/metrics`, for province to town.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use opentelemetry::{KeyValue, global};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tongxin_platform::{clock::Clock, error::chain};
use tracing::warn;

use crate::{
    domain::scorecard::{Figure, Head},
    store::scorecards,
};

/// How often figures are looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// OpenTelemetry keeps 2,000 series of an instrument apart. With nine indicators these regions make
/// 1,980, the upper levels first; all others are read by the API.
const MOST_REGIONS: i64 = 220;

/// Shows the newest figures to whoever collects metrics.
pub struct Figures {
    pool: PgPool,
    clock: Clock,
    shown: Arc<RwLock<Vec<Series>>>,
}

/// A figure with its labels.
struct Series {
    value: i64,
    labels: [KeyValue; 3],
}

/// What figures depend on, and the minute: days change, and events that were parked move no head.
type State = (Vec<Head>, i64);

impl Figures {
    /// Shows the figures in a database once it [`run`](Self::run)s.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        let shown: Arc<RwLock<Vec<Series>>> = Arc::default();
        let read = Arc::clone(&shown);
        global::meter("tongxin")
            .i64_observable_gauge("tongxin_figure")
            .with_description("Figures of today's scorecards; ratios in hundredths of a percent")
            .with_callback(move |gauge| {
                for series in read.read().unwrap_or_else(PoisonError::into_inner).iter() {
                    gauge.observe(series.value, &series.labels);
                }
            })
            .build();
        Self { pool, clock, shown }
    }

    /// Keeps what is shown up to date until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut state = None;
        while !stop.is_cancelled() {
            match self.refresh(state.as_ref()).await {
                Ok(refreshed) => state = Some(refreshed),
                Err(error) => warn!(error = chain(&error), "the metrics do not show the newest figures"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Reads the figures if the projection advanced, here or in another replica.
    async fn refresh(&self, before: Option<&State>) -> Result<State, sqlx::Error> {
        let heads = scorecards::heads(&mut *self.pool.acquire().await?).await?;
        let state = (heads, self.clock.now().timestamp().div_euclid(60));
        if before != Some(&state) {
            let amounts = scorecards::upper_levels(&self.pool, self.clock.today(), MOST_REGIONS).await?;
            let mut series = Vec::new();
            for (region, amounts) in amounts {
                let (code, level) = (region.to_string(), region.level().name());
                series.extend(amounts.figures().iter().map(|figure| labelled(figure, &code, level)));
            }
            *self.shown.write().unwrap_or_else(PoisonError::into_inner) = series;
        }
        Ok(state)
    }
}

fn labelled(figure: &Figure, region: &str, level: &'static str) -> Series {
    let labels = [
        KeyValue::new("indicator", figure.indicator.id),
        KeyValue::new("region", region.to_owned()),
        KeyValue::new("level", level),
    ];
    Series { value: figure.value, labels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::CATALOGUE;

    #[test]
    fn all_series_are_kept_apart() {
        let indicators = i64::try_from(CATALOGUE.len()).unwrap();
        assert!(indicators * MOST_REGIONS < 2_000);
    }
}
