//! When towns and villages count as assisted, according to editions of the register.

use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, register::RegionLevel, request::Context};
use uuid::Uuid;

use super::{books, coverage_rules, published};
use crate::{
    domain::{coverage::CoverageRules, register::Edition},
    error::Error,
};

/// Number of events that are appended at once.
const PART: usize = 5_000;

/// A town or village that starts or stops counting as assisted.
pub(super) struct Row {
    code: RegionCode,
    level: RegionLevel,
    begins: bool,
}

/// Starts and ends assistance according to an edition, and publishes it with the changes of coverage. Returns the
/// number of towns and villages.
pub(super) async fn follow(
    conn: &mut PgConnection,
    context: &Context,
    changes: &[Row],
    edition: &Edition,
    rules: &CoverageRules,
) -> Result<u64, Error> {
    let codes: Vec<RegionCode> = changes.iter().map(|row| row.code).collect();
    coverage_rules::lock_coverage(conn, codes.iter().copied(), rules).await?;
    let mut book = books::load(conn, &[], &codes).await?;
    begin(conn, edition, changes).await?;
    end(conn, edition, changes).await?;

    let mut events = Vec::new();
    let mut periods = books::assisted(conn, &codes).await?;
    for (row, code) in changes.iter().zip(codes) {
        let change = if row.begins { 1 } else { -1 };
        events.push(published::assistance(code, row.level, edition.effective_from, change));
        if row.level == RegionLevel::Village {
            let assisted = periods.remove(&code).unwrap_or_default();
            events.extend(published::coverage(&book.assist(code, assisted, rules)));
        }
    }
    for part in events.chunks(PART) {
        log::append(conn, context, part).await?;
    }
    Ok(changes.len().try_into().unwrap_or(u64::MAX))
}

/// Starting: assisted in the edition that was set aside, and not so far. Ending: no longer assisted in it, or no longer
/// valid since. Must run while the transaction is in the caller's scope.
pub(super) async fn changes(conn: &mut PgConnection, import: Uuid) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT new.code AS "code!: RegionCode", new.level AS "level!: RegionLevel", true AS "begins!"
        FROM region_import AS new
        WHERE new.import_id = $1
            AND new.assisted
            AND NOT EXISTS (SELECT FROM assistance WHERE region_code = new.code AND until_date IS NULL)
        UNION ALL
        SELECT assistance.region_code, assistance.level, false
        FROM assistance
        JOIN region ON region.region_code = assistance.region_code
        LEFT JOIN region_import AS new ON new.import_id = $1 AND new.code = assistance.region_code
        WHERE until_date IS NULL AND (NOT new.assisted OR valid_until IS NOT NULL)
        ORDER BY 1
        "#,
        import,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

async fn begin(conn: &mut PgConnection, edition: &Edition, changes: &[Row]) -> Result<(), Error> {
    let begun = || changes.iter().filter(|row| row.begins);
    let codes: Vec<RegionCode> = begun().map(|row| row.code).collect();
    let levels: Vec<RegionLevel> = begun().map(|row| row.level).collect();
    sqlx::query!(
        r#"
        INSERT INTO assistance (region_code, level, from_date)
        SELECT code, level, $3
        FROM unnest($1::bigint[], $2::text[]) AS begun (code, level)
        "#,
        &codes as &[RegionCode],
        &levels as &[RegionLevel],
        edition.effective_from,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn end(conn: &mut PgConnection, edition: &Edition, changes: &[Row]) -> Result<(), Error> {
    let codes: Vec<RegionCode> = changes.iter().filter(|row| !row.begins).map(|row| row.code).collect();
    // A period that began on the same day was a mistake, and is deleted.
    sqlx::query!(
        "DELETE FROM assistance WHERE region_code = ANY($1) AND until_date IS NULL AND from_date = $2",
        &codes as &[RegionCode],
        edition.effective_from,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE assistance SET until_date = $2 WHERE region_code = ANY($1) AND until_date IS NULL",
        &codes as &[RegionCode],
        edition.effective_from,
    )
    .execute(conn)
    .await?;
    Ok(())
}
