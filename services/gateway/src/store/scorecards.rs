//! What scorecards are read from.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use sqlx::{PgConnection, PgPool};
use tongxin_platform::{db::Scope, region::RegionCode, register::RegionRefused};

use crate::{
    domain::scorecard::{Amounts, Head, Scorecard, Sums},
    error::Error,
};

/// The name of the gateway as a consumer.
pub const CONSUMER: &str = "gateway";

/// The scorecard of a region, as far as the scope sees it.
///
/// One statement: the region's name, the amounts, and how far they are counted. Whole months before that of the day, and the
/// days of its month, are one range of each primary key, however many facts there are.
pub async fn read(pool: &PgPool, scope: Scope, region: RegionCode, as_of: NaiveDate) -> Result<Scorecard, Error> {
    let Periods { year, month } = Periods::until(as_of);
    let mut tx = scope.read(pool).await?;
    let found = sqlx::query!(
        r#"
        WITH part AS (
            SELECT indicator, month >= $2 AS in_year, amount
            FROM rollup_month
            WHERE region_code = $1 AND month < $3
            UNION ALL
            SELECT indicator, true, amount
            FROM rollup_day
            WHERE region_code = $1 AND day >= $3 AND day <= $4
        ),
        total AS (
            SELECT indicator, sum(amount)::bigint AS ever, coalesce(sum(amount) FILTER (WHERE in_year), 0)::bigint AS in_year
            FROM part
            GROUP BY indicator
        ),
        counted AS (
            SELECT array_agg(indicator ORDER BY indicator) AS indicators,
                   array_agg(ever ORDER BY indicator) AS ever,
                   array_agg(in_year ORDER BY indicator) AS in_year
            FROM total
        ),
        head AS (
            SELECT array_agg(source ORDER BY source) AS sources,
                   array_agg(epoch ORDER BY source) AS epochs,
                   array_agg(seq ORDER BY source) AS seqs
            FROM cursor
            WHERE consumer = $5
        )
        SELECT name, valid_from, valid_until,
               coalesce(indicators, '{}') AS "indicators!", coalesce(ever, '{}') AS "ever!: Vec<i64>",
               coalesce(in_year, '{}') AS "in_year!: Vec<i64>",
               coalesce(sources, '{}') AS "sources!", coalesce(epochs, '{}') AS "epochs!: Vec<i64>",
               coalesce(seqs, '{}') AS "seqs!: Vec<i64>"
        FROM region
        CROSS JOIN counted
        CROSS JOIN head
        WHERE region_code = $1
        "#,
        region.number(),
        year,
        month,
        as_of,
        CONSUMER,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(RegionRefused::NotFound(region))?;
    // Nothing was written: the connection is rolled back where nobody waits for it.
    drop(tx);
    let sums = found.ever.into_iter().zip(found.in_year).map(|(ever, in_year)| Sums { ever, in_year });
    let amounts: Amounts = found.indicators.into_iter().zip(sums).collect();
    let heads = found.sources.into_iter().zip(found.epochs).zip(found.seqs);
    Ok(Scorecard {
        region,
        region_name: found.name,
        valid_from: found.valid_from,
        valid_until: found.valid_until,
        as_of,
        figures: amounts.figures(),
        heads: heads.map(|((source, epoch), seq)| Head { source, epoch, seq }).collect(),
    })
}

/// The amounts of every region above the villages that has facts, the upper levels first, at most
/// so many regions.
pub async fn upper_levels(
    pool: &PgPool,
    as_of: NaiveDate,
    most_regions: u32,
) -> Result<BTreeMap<RegionCode, Amounts>, sqlx::Error> {
    let Periods { year, month } = Periods::until(as_of);
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let sums = sqlx::query!(
        r#"
        WITH part AS (
            SELECT region_code, indicator, month >= $1 AS in_year, amount
            FROM rollup_month
            WHERE region_code % 1000 = 0 AND month < $2
            UNION ALL
            SELECT region_code, indicator, true, amount
            FROM rollup_day
            WHERE region_code % 1000 = 0 AND day >= $2 AND day <= $3
        ),
        shown AS (
            SELECT DISTINCT region_code, region_code % 1000000 = 0 AS upper
            FROM part
            ORDER BY upper DESC, region_code
            LIMIT $4
        )
        SELECT region_code AS "region_code!", indicator AS "indicator!", sum(amount)::bigint AS "ever!",
               coalesce(sum(amount) FILTER (WHERE in_year), 0)::bigint AS "in_year!"
        FROM part
        JOIN shown USING (region_code)
        GROUP BY region_code, indicator
        "#,
        year,
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
            amounts.entry(region).or_default().put(sum.indicator, Sums { ever: sum.ever, in_year: sum.in_year });
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

/// First days of the periods in which a day lies.
struct Periods {
    year: NaiveDate,
    /// Read by days; months before it are read whole.
    month: NaiveDate,
}

impl Periods {
    fn until(day: NaiveDate) -> Self {
        Self { year: day.with_ordinal(1).unwrap_or(day), month: day.with_day(1).unwrap_or(day) }
    }
}
