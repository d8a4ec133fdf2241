//! Dated rules of regions.

use chrono::NaiveDate;
use prost::Message as _;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;
use tongxin_proto::monitoring::v1;

use crate::{domain::rule_set::RuleSet, error::Error};

/// The rule set that holds in a region on a day: that of the nearest region, and of these the newest.
pub async fn in_force(conn: &mut PgConnection, region: RegionCode, day: NaiveDate) -> Result<Option<RuleSet>, Error> {
    let line: Vec<i64> = region.with_ancestors().map(RegionCode::number).collect();
    let stated = sqlx::query_scalar!(
        r#"
        SELECT stated
        FROM rule_set
        WHERE region_code = ANY($1)
            AND effective_from <= $2
            AND (effective_until IS NULL OR effective_until > $2)
        ORDER BY array_position($1, region_code) DESC, effective_from DESC
        LIMIT 1
        "#,
        &line,
        day,
    )
    .fetch_optional(conn)
    .await?;
    let Some(stated) = stated else { return Ok(None) };
    let draft =
        v1::RuleSetDraft::decode(stated.as_slice()).map_err(|error| Error::Corrupt(format!("a rule set: {error}")))?;
    Ok(Some(RuleSet { lines: draft.lines.iter().map(|line| (line.year, line.line_fen)).collect() }))
}
