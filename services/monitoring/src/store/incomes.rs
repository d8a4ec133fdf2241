//! Collective income of villages.

use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};

use super::{published, region};
use crate::{
    domain::income::{Amounts, TierChange, VillageIncome},
    error::Error,
};

/// The incomes of a village, newest year first.
pub async fn list(conn: &mut PgConnection, village: RegionCode) -> Result<Vec<VillageIncome>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT region_code, year, operating, contracting, investment, other, tiers, version
        FROM village_income
        WHERE region_code = $1
        ORDER BY year DESC
        "#,
        village.number(),
    )
    .fetch_all(conn)
    .await?;
    let mut incomes = Vec::with_capacity(rows.len());
    for row in rows {
        incomes.push(VillageIncome {
            region: region(row.region_code)?,
            year: row.year,
            amounts: Amounts {
                operating: row.operating,
                contracting: row.contracting,
                investment: row.investment,
                other: row.other,
            },
            tiers: row.tiers,
            version: row.version,
        });
    }
    Ok(incomes)
}

/// Writes an income of a locked village first, and its events second.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    income: &VillageIncome,
    changes: &[TierChange],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO village_income
            (region_code, year, operating, contracting, investment, other, tiers, record_time, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (region_code, year) DO UPDATE
        SET operating = excluded.operating,
            contracting = excluded.contracting,
            investment = excluded.investment,
            other = excluded.other,
            tiers = excluded.tiers,
            record_time = excluded.record_time,
            version = excluded.version
        "#,
        income.region.number(),
        income.year,
        income.amounts.operating,
        income.amounts.contracting,
        income.amounts.investment,
        income.amounts.other,
        &income.tiers,
        context.now,
        income.version,
    )
    .execute(&mut *conn)
    .await?;
    let mut events = vec![published::villages::income_recorded(income)];
    events.extend(changes.iter().map(|change| published::villages::tier_changed(income, change)));
    log::append(conn, context, &events).await?;
    Ok(())
}
