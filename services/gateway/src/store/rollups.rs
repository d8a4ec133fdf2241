//! Sums of facts by region and day or month.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use sqlx::PgConnection;

use crate::domain::{fact::Fact, indicators::CATALOGUE};

/// Region, the period's first day, and indicator: in the order of the primary keys, in which rows are locked.
type Key = (i64, NaiveDate, &'static str);

/// Adds facts to the roll-ups of their regions and, for indicators that add up, of all regions above.
pub(super) async fn add(conn: &mut PgConnection, facts: &[Fact]) -> Result<(), sqlx::Error> {
    let days = by_day(facts);
    let months = by_month(&days);
    let (regions, starts, indicators, amounts) = columns(&days);
    sqlx::query!(
        r#"
        INSERT INTO rollup_day (region_code, day, indicator, amount)
        SELECT *
        FROM unnest($1::bigint[], $2::date[], $3::text[], $4::bigint[])
        ON CONFLICT (region_code, day, indicator) DO UPDATE
        SET amount = rollup_day.amount + excluded.amount
        "#,
        &regions,
        &starts,
        &indicators as &[&str],
        &amounts,
    )
    .execute(&mut *conn)
    .await?;
    let (regions, starts, indicators, amounts) = columns(&months);
    sqlx::query!(
        r#"
        INSERT INTO rollup_month (region_code, month, indicator, amount)
        SELECT *
        FROM unnest($1::bigint[], $2::date[], $3::text[], $4::bigint[])
        ON CONFLICT (region_code, month, indicator) DO UPDATE
        SET amount = rollup_month.amount + excluded.amount
        "#,
        &regions,
        &starts,
        &indicators as &[&str],
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn by_day(facts: &[Fact]) -> BTreeMap<Key, i64> {
    let mut sums = BTreeMap::new();
    let mut count = |region: i64, fact: &Fact| {
        *sums.entry((region, fact.occurred_on, fact.indicator.id)).or_default() += fact.amount;
    };
    for fact in facts {
        if fact.indicator.adds_up {
            fact.region.with_ancestors().for_each(|region| count(region.number(), fact));
        } else {
            count(fact.region.number(), fact);
        }
    }
    sums
}

fn by_month(days: &BTreeMap<Key, i64>) -> BTreeMap<Key, i64> {
    let mut sums = BTreeMap::new();
    for ((region, day, indicator), amount) in days {
        let first = day.with_day(1).unwrap_or(*day);
        *sums.entry((*region, first, *indicator)).or_default() += amount;
    }
    sums
}

fn columns(sums: &BTreeMap<Key, i64>) -> (Vec<i64>, Vec<NaiveDate>, Vec<&'static str>, Vec<i64>) {
    let regions = sums.keys().map(|key| key.0).collect();
    let starts = sums.keys().map(|key| key.1).collect();
    let indicators = sums.keys().map(|key| key.2).collect();
    (regions, starts, indicators, sums.values().copied().collect())
}

/// Indicators whose facts also count in the regions above.
fn adding_up() -> Vec<&'static str> {
    CATALOGUE.iter().filter(|indicator| indicator.adds_up).map(|indicator| indicator.id).collect()
}

/// Recomputes all roll-ups from the facts.
///
/// # Errors
/// When Postgres fails.
pub async fn rebuild(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let indicators = sqlx::query_scalar!(
        r#"
        SELECT indicator AS "indicator!"
        FROM fact
        UNION
        SELECT indicator
        FROM rollup_day
        UNION
        SELECT indicator
        FROM rollup_month
        "#,
    )
    .fetch_all(&mut *conn)
    .await?;
    rebuild_of(conn, &indicators).await
}

/// Recomputes the roll-ups of some indicators from the facts, without locking others.
pub(super) async fn rebuild_of(conn: &mut PgConnection, indicators: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM rollup_day WHERE indicator = ANY($1)", indicators).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM rollup_month WHERE indicator = ANY($1)", indicators).execute(&mut *conn).await?;
    sqlx::query!(
        r#"
        INSERT INTO rollup_day (region_code, indicator, day, amount)
        SELECT line.code, fact.indicator, fact.occurred_on, sum(fact.amount)::bigint
        FROM fact
        CROSS JOIN LATERAL region_line(fact.region_code) AS line (code)
        WHERE fact.indicator = ANY($1) AND (line.code = fact.region_code OR fact.indicator = ANY($2))
        GROUP BY line.code, fact.indicator, fact.occurred_on
        "#,
        indicators,
        &adding_up() as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO rollup_month (region_code, indicator, month, amount)
        SELECT region_code, indicator, date_trunc('month', day)::date, sum(amount)::bigint
        FROM rollup_day
        WHERE indicator = ANY($1)
        GROUP BY region_code, indicator, date_trunc('month', day)
        "#,
        indicators,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A roll-up that is not the sum of its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `day` or `month`.
    pub period: String,
    /// Region.
    pub region_code: i64,
    /// Indicator.
    pub indicator: String,
    /// First day of the period.
    pub starts_on: NaiveDate,
    /// The sum of its facts.
    pub expected: i64,
    /// The value of the roll-up.
    pub found: i64,
}

/// Compares every roll-up with the sum of its facts and returns those that differ.
///
/// # Errors
/// When Postgres fails.
pub async fn drift(conn: &mut PgConnection) -> Result<Vec<Drift>, sqlx::Error> {
    sqlx::query_as!(
        Drift,
        r#"
        WITH expected_day AS MATERIALIZED (
            SELECT line.code AS region_code, fact.indicator, fact.occurred_on AS day, sum(fact.amount)::bigint AS amount
            FROM fact
            CROSS JOIN LATERAL region_line(fact.region_code) AS line (code)
            WHERE line.code = fact.region_code OR fact.indicator = ANY($1)
            GROUP BY line.code, fact.indicator, fact.occurred_on
        ),
        expected_month AS (
            SELECT region_code, indicator, date_trunc('month', day)::date AS month, sum(amount)::bigint AS amount
            FROM expected_day
            GROUP BY region_code, indicator, date_trunc('month', day)
        ),
        compared AS (
            SELECT 'day' AS period, region_code, indicator, day AS starts_on,
                   coalesce(expected_day.amount, 0) AS expected, coalesce(rollup_day.amount, 0) AS found
            FROM expected_day
            FULL JOIN rollup_day USING (region_code, indicator, day)
            UNION ALL
            SELECT 'month', region_code, indicator, month,
                   coalesce(expected_month.amount, 0), coalesce(rollup_month.amount, 0)
            FROM expected_month
            FULL JOIN rollup_month USING (region_code, indicator, month)
        )
        SELECT period AS "period!", region_code AS "region_code!", indicator AS "indicator!",
               starts_on AS "starts_on!", expected AS "expected!", found AS "found!"
        FROM compared
        WHERE expected <> found
        ORDER BY period, region_code, indicator, starts_on
        "#,
        &adding_up() as &[&str],
    )
    .fetch_all(conn)
    .await
}
