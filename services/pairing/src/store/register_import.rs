//! Merges an edition of the register whose rows were set aside.

use sqlx::PgConnection;
use tongxin_platform::{
    log,
    region::{Level, RegionCode, RegionRange},
    register::Region,
    request::Context,
};
use uuid::Uuid;

use super::{assistance, published, register_rows};
use crate::{
    domain::{coverage::CoverageRules, register::Edition},
    error::{Error, Refused},
};

/// Maximum number of regions in an event.
const EVENT_REGIONS: usize = 500;

/// Number of changed regions that are read at once.
const READ_REGIONS: i64 = 20_000;

/// Advisory lock: one import at a time.
const IMPORT_LOCK: i64 = 0x7265_6769_6f6e;

/// The result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Number of rows in the edition.
    pub rows: i64,
    /// Number of new regions.
    pub added: u64,
    /// Number of regions whose name, level, parent or validity changed.
    pub changed: u64,
    /// Number of regions that are no longer valid.
    pub withdrawn: u64,
    /// Number of towns and villages that started or stopped counting as assisted.
    pub assistance_changed: u64,
}

/// Progress of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Comparing the rows with each other.
    Checking,
    /// Changing the register.
    Merging,
    /// Publishing new and changed regions; how many so far.
    Publishing(u64),
    /// Updating assistance and coverage.
    Following,
}

/// Is called with the progress.
pub type Watcher = Box<dyn Fn(Stage) + Send + Sync>;

/// Merges the rows that were set aside into the register, with all events. The edition takes the import's id; a request
/// id is unique per caller only.
///
/// The register is compared and written in the caller's scope. Only what follows is widened: events about a county, and
/// the counting of coverage, which must not depend on the caller.
pub async fn merge(
    conn: &mut PgConnection,
    context: &Context,
    (import, request_id): (Uuid, Uuid),
    received: i64,
    edition: &Edition,
    rules: &CoverageRules,
    watcher: &Watcher,
) -> Result<Merged, Error> {
    sqlx::query!("SET LOCAL statement_timeout = '10min'").execute(&mut *conn).await?;
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK).execute(&mut *conn).await?;
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM region_import WHERE import_id = $1"#, import)
        .fetch_one(&mut *conn)
        .await?;
    if rows != received {
        return Err(Refused::RowsLost.into());
    }
    watcher(Stage::Checking);
    follows(conn, import, edition).await?;
    keep_edition(conn, context, (import, request_id), edition).await?;
    register_rows::check(conn, import).await?;
    watcher(Stage::Merging);
    let changed = update(conn, import, edition).await?;
    let added = insert(conn, import, edition).await?;
    let withdrawn = withdraw(conn, import, edition).await?;
    state(conn, import, edition).await?;
    let assistance = assistance::changes(conn, import).await?;
    let follow = async |conn: &mut PgConnection| {
        tell_of_regions(conn, context, import, edition, watcher).await?;
        watcher(Stage::Following);
        assistance::follow(conn, context, &assistance, edition, rules).await
    };
    let assistance_changed = context.everywhere(conn, follow).await?;
    sqlx::query!("DELETE FROM region_import WHERE import_id = $1", import).execute(&mut *conn).await?;
    Ok(Merged { rows, added, changed, withdrawn, assistance_changed })
}

/// Editions follow each other: an older one would take back what newer ones said of the same regions. What these said
/// of other regions does not matter.
async fn follows(conn: &mut PgConnection, import: Uuid, edition: &Edition) -> Result<(), Error> {
    let complete_for = edition.complete_for.map(RegionCode::range);
    let newest = sqlx::query_scalar!(
        r#"
        SELECT max(day)
        FROM (
            SELECT max(stated_from) AS day
            FROM region_import
            JOIN region ON region_code = code
            WHERE import_id = $1
            UNION ALL
            SELECT max(stated_from)
            FROM region
            WHERE region_code >= $2 AND region_code < $3
            UNION ALL
            -- Said that there is no such code.
            SELECT max(effective_from)
            FROM edition
            WHERE complete_for IS NOT NULL
                AND effective_from > $4
                AND EXISTS (
                SELECT FROM region_import
                WHERE import_id = $1 AND code >= edition.complete_for AND code < edition.complete_until
            )
        ) AS said
        "#,
        import,
        complete_for.map(|range| range.from),
        complete_for.map(|range| range.until),
        edition.effective_from,
    )
    .fetch_one(&mut *conn)
    .await?;
    match newest.filter(|newest| *newest > edition.effective_from) {
        Some(newest) => Err(Refused::EditionOutdated(newest).into()),
        None => Ok(()),
    }
}

async fn keep_edition(
    conn: &mut PgConnection,
    context: &Context,
    (edition_id, request_id): (Uuid, Uuid),
    edition: &Edition,
) -> Result<(), Error> {
    let complete_for = edition.complete_for.map(RegionCode::range);
    sqlx::query!(
        r#"
        INSERT INTO edition
            (edition_id, actor, request_id, effective_from, complete_for, complete_until, source, record_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        edition_id,
        context.actor,
        request_id,
        edition.effective_from,
        complete_for.map(|range| range.from),
        complete_for.map(|range| range.until),
        edition.source,
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn update(conn: &mut PgConnection, import: Uuid, edition: &Edition) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE region
        SET name = new.name,
            level = new.level,
            parent_code = new.parent_code,
            valid_from = least(valid_from, $2),
            valid_until = NULL,
            edition = $1
        FROM region_import AS new
        WHERE new.import_id = $1
            AND new.code = region.region_code
            AND (
                (region.name, region.level, region.parent_code) IS DISTINCT FROM (new.name, new.level, new.parent_code)
                OR valid_until IS NOT NULL
                OR valid_from > $2
            )
        "#,
        import,
        edition.effective_from,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn insert(conn: &mut PgConnection, import: Uuid, edition: &Edition) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO region (region_code, name, level, parent_code, valid_from, edition, stated_from)
        SELECT code, name, level, parent_code, $2, $1, $2
        FROM region_import
        WHERE import_id = $1 AND NOT EXISTS (SELECT FROM region WHERE region_code = code)
        ORDER BY code
        "#,
        import,
        edition.effective_from,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn withdraw(conn: &mut PgConnection, import: Uuid, edition: &Edition) -> Result<u64, Error> {
    let Some(complete_for) = edition.complete_for else { return Ok(0) };
    let RegionRange { from, until } = complete_for.range();
    let done = sqlx::query!(
        r#"
        UPDATE region
        SET valid_until = greatest($2, valid_from + 1),
            edition = $1
        WHERE region_code >= $3 AND region_code < $4
            AND valid_until IS NULL
            AND NOT EXISTS (SELECT FROM region_import WHERE import_id = $1 AND code = region_code)
        "#,
        import,
        edition.effective_from,
        from,
        until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Records which regions the edition contained, even if unchanged.
async fn state(conn: &mut PgConnection, import: Uuid, edition: &Edition) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE region
        SET stated_from = $2
        FROM region_import
        WHERE import_id = $1 AND code = region_code AND stated_from < $2
        "#,
        import,
        edition.effective_from,
    )
    .execute(&mut *conn)
    .await?;
    let Some(RegionRange { from, until }) = edition.complete_for.map(RegionCode::range) else { return Ok(()) };
    sqlx::query!(
        "UPDATE region SET stated_from = $1 WHERE region_code >= $2 AND region_code < $3 AND stated_from < $1",
        edition.effective_from,
        from,
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Publishes all regions that this import added or changed.
async fn tell_of_regions(
    conn: &mut PgConnection,
    context: &Context,
    import: Uuid,
    edition: &Edition,
    watcher: &Watcher,
) -> Result<(), Error> {
    let (mut after, mut told) = (0, 0);
    loop {
        watcher(Stage::Publishing(told));
        let changed = sqlx::query_as!(
            Region,
            r#"
            SELECT region_code, name, level, parent_code, valid_from, valid_until
            FROM region
            WHERE edition = $1 AND region_code > $2
            ORDER BY region_code
            LIMIT $3
            "#,
            import,
            after,
            READ_REGIONS,
        )
        .fetch_all(&mut *conn)
        .await?;
        let Some(last) = changed.last() else { return Ok(()) };
        after = last.region_code.number();
        let mut events = Vec::new();
        for of_county in changed.chunk_by(|one, other| county(one.region_code) == county(other.region_code)) {
            for part in of_county.chunks(EVENT_REGIONS) {
                events.push(published::regions_recorded(county(part[0].region_code), part, edition.effective_from));
            }
        }
        log::append(conn, context, &events).await?;
        told += changed.len() as u64;
    }
}

/// The county of a region; without one, its city or province.
fn county(code: RegionCode) -> RegionCode {
    let above = [Level::County, Level::City, Level::Province];
    above.into_iter().find_map(|level| code.at(level)).unwrap_or(code)
}
