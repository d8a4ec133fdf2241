//! What scorecards are read from.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use sqlx::{PgConnection, PgPool};
use tongxin_platform::{db::Scope, region::RegionCode};

use super::regions::{self, Named};
use crate::{
    domain::{
        indicators::CATALOGUE,
        scorecard::{Amounts, Head, Scorecard},
    },
    error::Error,
};

/// The name of the gateway as a consumer.
pub const CONSUMER: &str = "gateway";

/// The scorecard of a region, as far as the scope sees it.
pub async fn read(pool: &PgPool, scope: Scope, region: RegionCode, as_of: NaiveDate) -> Result<Scorecard, Error> {
    let mut tx = scope.read(pool).await?;
    let found = regions::find(&mut tx, region).await?;
    let Named { name, valid_from, valid_until } = found.ok_or(Error::RegionNotFound(region))?;
    let amounts = amounts(&mut tx, region, as_of).await?;
    let heads = heads(&mut tx).await?;
    tx.commit().await?;
    Ok(Scorecard { region, region_name: name, valid_from, valid_until, as_of, figures: amounts.figures(), heads })
}

/// Whole months before that of the day, and the days of its month: one range of each primary key,
/// however many facts there are.
async fn amounts(conn: &mut PgConnection, region: RegionCode, as_of: NaiveDate) -> Result<Amounts, sqlx::Error> {
    let Counted { indicators, since, month } = Counted::on(as_of);
    let sums = sqlx::query!(
        r#"
        SELECT indicator AS "indicator!", sum(amount)::bigint AS "amount!"
        FROM (
            SELECT rollup_month.indicator, rollup_month.amount
            FROM unnest($2::text[], $3::date[]) AS counted (indicator, since)
            JOIN rollup_month USING (indicator)
            WHERE region_code = $1 AND month >= counted.since AND month < $4
            UNION ALL
            SELECT indicator, amount
            FROM rollup_day
            WHERE region_code = $1 AND day >= $4 AND day <= $5
        ) AS part
        GROUP BY indicator
        "#,
        region.number(),
        &indicators as &[&str],
        &since,
        month,
        as_of,
    )
    .fetch_all(conn)
    .await?;
    Ok(sums.into_iter().map(|sum| (sum.indicator, sum.amount)).collect())
}

/// The amounts of every region above the villages that has facts, the upper levels first, at most
/// so many regions.
pub async fn upper_levels(
    pool: &PgPool,
    as_of: NaiveDate,
    most_regions: u32,
) -> Result<BTreeMap<RegionCode, Amounts>, sqlx::Error> {
    let Counted { indicators, since, month } = Counted::on(as_of);
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let sums = sqlx::query!(
        r#"
        WITH part AS (
            SELECT rollup_month.region_code, rollup_month.indicator, rollup_month.amount
            FROM unnest($1::text[], $2::date[]) AS counted (indicator, since)
            JOIN rollup_month USING (indicator)
            WHERE region_code % 1000 = 0 AND month >= counted.since AND month < $3
            UNION ALL
            SELECT region_code, indicator, amount
            FROM rollup_day
            WHERE region_code % 1000 = 0 AND day >= $3 AND day <= $4
        ),
        shown AS (
            SELECT DISTINCT region_code, region_code % 1000000 = 0 AS upper
            FROM part
            ORDER BY upper DESC, region_code
            LIMIT $5
        )
        SELECT region_code AS "region_code!", indicator AS "indicator!", sum(amount)::bigint AS "amount!"
        FROM part
        JOIN shown USING (region_code)
        GROUP BY region_code, indicator
        "#,
        &indicators as &[&str],
        &since,
        month,
        as_of,
        i64::from(most_regions),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut amounts: BTreeMap<RegionCode, Amounts> = BTreeMap::new();
    for sum in sums {
        if let Ok(region) = RegionCode::from_number(sum.region_code) {
            amounts.entry(region).or_default().put(sum.indicator, sum.amount);
        }
    }
    Ok(amounts)
}

/// How far each service's log is counted.
pub async fn heads(conn: &mut PgConnection) -> Result<Vec<Head>, sqlx::Error> {
    sqlx::query_as!(Head, "SELECT source, epoch, seq FROM cursor WHERE consumer = $1 ORDER BY source", CONSUMER,)
        .fetch_all(conn)
        .await
}

/// The indicators that facts count for, and from when.
struct Counted {
    indicators: Vec<&'static str>,
    since: Vec<NaiveDate>,
    /// First day of the month that is read by days.
    month: NaiveDate,
}

impl Counted {
    fn on(as_of: NaiveDate) -> Self {
        let counted = CATALOGUE.iter().filter_map(|indicator| Some((indicator.id, indicator.counts_from(as_of)?)));
        let (indicators, since) = counted.unzip();
        Self { indicators, since, month: as_of.with_day(1).unwrap_or(as_of) }
    }
}
