//! Takes an edition of the register: rows are set aside as they come, and merged at the end.

use sqlx::{PgConnection, PgPool};
use tongxin_platform::{
    db::Scope,
    log,
    region::{Level, RegionCode, RegionRange},
    request::Context,
};
use uuid::Uuid;

use super::{assistance, published, regions};
use crate::{
    domain::{
        coverage::CoverageRules,
        register::{Edition, Region, RegisterRow},
    },
    error::Error,
};

/// Regions of one event.
const EVENT_REGIONS: usize = 500;

/// Changed regions that are read at once.
const READ_REGIONS: i64 = 20_000;

/// One import at a time.
const IMPORT_LOCK: i64 = 0x7265_6769_6f6e;

/// Sets rows aside, numbered from `first`.
pub async fn set_aside(
    pool: &PgPool,
    import: Uuid,
    context: &Context,
    first: i64,
    rows: &[RegisterRow],
) -> Result<(), Error> {
    let codes: Vec<i64> = rows.iter().map(|row| row.code.number()).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let levels: Vec<&str> = rows.iter().map(|row| row.level.name()).collect();
    let parents: Vec<Option<i64>> = rows.iter().map(|row| row.parent.map(RegionCode::number)).collect();
    let assisted: Vec<bool> = rows.iter().map(|row| row.assisted).collect();
    sqlx::query!(
        r#"
        INSERT INTO region_import (import_id, row_number, code, name, level, parent_code, assisted, start_time)
        SELECT $1, $2 + position - 1, code, name, level, parent_code, assisted, $3
        FROM unnest($4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::boolean[]) WITH ORDINALITY
            AS new (code, name, level, parent_code, assisted, position)
        "#,
        import,
        first,
        context.now,
        &codes,
        &names as &[&str],
        &levels as &[&str],
        &parents as &[Option<i64>],
        &assisted,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets the rows of an import, and those of imports that ended half way a day ago.
pub async fn discard(pool: &PgPool, import: Uuid, context: &Context) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM region_import WHERE import_id = $1 OR start_time < $2::timestamptz - interval '1 day'",
        import,
        context.now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Rows in the edition.
    pub rows: i64,
    /// New regions.
    pub added: u64,
    /// Regions whose name, level, parent or validity changed.
    pub changed: u64,
    /// Regions that are no longer valid.
    pub withdrawn: u64,
    /// Towns and villages that began or ceased to count as assisted.
    pub assistance_changed: u64,
}

/// Merges the rows that were set aside into the register, with all events. The import's identifier becomes that of the
/// edition: the one of the request is the caller's, and others may choose the same.
pub async fn merge(
    conn: &mut PgConnection,
    context: &Context,
    (import, request_id): (Uuid, Uuid),
    received: i64,
    edition: &Edition,
    rules: &CoverageRules,
) -> Result<Merged, Error> {
    // The register is everybody's; the permission to import it decides.
    Scope::EVERYWHERE.set(conn).await?;
    sqlx::query!("SET LOCAL statement_timeout = '10min'").execute(&mut *conn).await?;
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK).execute(&mut *conn).await?;
    take_edition(conn, context, (import, request_id), edition).await?;
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM region_import WHERE import_id = $1"#, import)
        .fetch_one(&mut *conn)
        .await?;
    if rows != received {
        return Err(Error::RowsLost);
    }
    check(conn, import).await?;
    let changed = update(conn, import, edition).await?;
    let added = insert(conn, import, edition).await?;
    let withdrawn = withdraw(conn, import, edition).await?;
    tell_of_regions(conn, context, import, edition).await?;
    let assistance_changed = assistance::follow(conn, context, import, edition, rules).await?;
    sqlx::query!("DELETE FROM region_import WHERE import_id = $1", import).execute(&mut *conn).await?;
    Ok(Merged { rows, added, changed, withdrawn, assistance_changed })
}

/// Editions follow each other: an older one would take back what newer ones said.
async fn take_edition(
    conn: &mut PgConnection,
    context: &Context,
    (edition_id, request_id): (Uuid, Uuid),
    edition: &Edition,
) -> Result<(), Error> {
    let newest = sqlx::query_scalar!("SELECT max(effective_from) FROM edition").fetch_one(&mut *conn).await?;
    if let Some(newest) = newest.filter(|newest| *newest > edition.effective_from) {
        return Err(Error::EditionOutdated(newest));
    }
    sqlx::query!(
        r#"
        INSERT INTO edition (edition_id, actor, request_id, effective_from, complete_for, source, record_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        edition_id,
        context.actor,
        request_id,
        edition.effective_from,
        edition.complete_for.map(RegionCode::number),
        edition.source,
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes sure that the rows agree with each other.
async fn check(conn: &mut PgConnection, import: Uuid) -> Result<(), Error> {
    let twice = sqlx::query!(
        r#"
        SELECT code, min(row_number) AS "first!", max(row_number) AS "last!"
        FROM region_import
        WHERE import_id = $1
        GROUP BY code
        HAVING count(*) > 1
        ORDER BY 2
        LIMIT 20
        "#,
        import,
    )
    .fetch_all(&mut *conn)
    .await?;
    if !twice.is_empty() {
        let lines =
            twice.iter().map(|row| format!("row {}: {} stands in row {} already", row.last, row.code, row.first));
        return Err(Error::RegionRows(lines.collect::<Vec<_>>().join("; ")));
    }
    let orphans = sqlx::query!(
        r#"
        SELECT row_number, parent_code AS "parent_code!"
        FROM region_import AS orphan
        WHERE import_id = $1
            AND parent_code IS NOT NULL
            AND NOT EXISTS (SELECT FROM region WHERE region_code = orphan.parent_code)
            AND NOT EXISTS (
                SELECT FROM region_import AS parent
                WHERE parent.import_id = $1 AND parent.code = orphan.parent_code
            )
        ORDER BY row_number
        LIMIT 20
        "#,
        import,
    )
    .fetch_all(&mut *conn)
    .await?;
    if !orphans.is_empty() {
        let lines = orphans
            .iter()
            .map(|row| format!("row {}: the parent {} is not registered", row.row_number, row.parent_code));
        return Err(Error::RegionRows(lines.collect::<Vec<_>>().join("; ")));
    }
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
        INSERT INTO region (region_code, name, level, parent_code, valid_from, edition)
        SELECT code, name, level, parent_code, $2, $1
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

/// Tells of all regions that this import added or changed.
async fn tell_of_regions(
    conn: &mut PgConnection,
    context: &Context,
    import: Uuid,
    edition: &Edition,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let rows = sqlx::query_as!(
            regions::Row,
            r#"
            SELECT region_code, name, level, parent_code, valid_from, valid_until,
                   NULL::date AS assisted_from, NULL::date AS assisted_until
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
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.region_code;
        let changed: Vec<Region> = rows.into_iter().map(Region::try_from).collect::<Result<_, _>>()?;
        let mut events = Vec::new();
        for of_county in changed.chunk_by(|one, other| county(one.code) == county(other.code)) {
            for part in of_county.chunks(EVENT_REGIONS) {
                events.push(published::regions_recorded(county(part[0].code), part, edition.effective_from));
            }
        }
        log::append(conn, context, &events).await?;
    }
}

/// The county of a region, or what stands for it above counties.
fn county(code: RegionCode) -> RegionCode {
    let above = [Level::County, Level::City, Level::Province];
    above.into_iter().find_map(|level| code.at(level)).unwrap_or(code)
}
