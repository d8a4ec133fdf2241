//! Rows of an edition of the register, set aside as they arrive until they are merged.

use sqlx::{PgConnection, PgPool};
use tongxin_platform::{region::RegionCode, register::RegionLevel, request::Context};
use uuid::Uuid;

use crate::{
    domain::register::RegisterRow,
    error::{Error, Refused},
};

/// Sets rows aside, numbered from `first`.
pub async fn set_aside(
    pool: &PgPool,
    import: Uuid,
    context: &Context,
    first: i64,
    rows: &[RegisterRow],
) -> Result<(), Error> {
    let codes: Vec<RegionCode> = rows.iter().map(|row| row.code).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let levels: Vec<RegionLevel> = rows.iter().map(|row| row.level).collect();
    let parents: Vec<Option<RegionCode>> = rows.iter().map(|row| row.parent).collect();
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
        &codes as &[RegionCode],
        &names as &[&str],
        &levels as &[RegionLevel],
        &parents as &[Option<RegionCode>],
        &assisted,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Deletes the rows of an import, and those of imports that broke off a day ago.
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

/// Checks that the rows are consistent with each other and with what the caller sees of the register. A parent outside
/// the caller's region is treated as unknown, unless the register already has the region below it.
pub(super) async fn check(conn: &mut PgConnection, import: Uuid) -> Result<(), Error> {
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
        return Err(Refused::RegionRows(lines.collect::<Vec<_>>().join("; ")).into());
    }
    let orphans = sqlx::query!(
        r#"
        SELECT row_number, parent_code AS "parent_code!"
        FROM region_import AS orphan
        WHERE import_id = $1
            AND parent_code IS NOT NULL
            AND NOT EXISTS (SELECT FROM region WHERE region_code = orphan.parent_code)
            AND NOT EXISTS (SELECT FROM region WHERE region_code = orphan.code AND parent_code = orphan.parent_code)
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
        return Err(Refused::RegionRows(lines.collect::<Vec<_>>().join("; ")).into());
    }
    let torn_off = sqlx::query!(
        r#"
        SELECT row_number, code
        FROM region_import AS new
        JOIN region ON region_code = code
        WHERE import_id = $1
            AND region.parent_code IS DISTINCT FROM new.parent_code
            AND NOT EXISTS (SELECT FROM region AS above WHERE above.region_code = region.parent_code)
            AND region.parent_code IS NOT NULL
        ORDER BY row_number
        LIMIT 20
        "#,
        import,
    )
    .fetch_all(&mut *conn)
    .await?;
    if !torn_off.is_empty() {
        let lines = torn_off.iter().map(|row| {
            format!("row {}: what {} lies in is changed by a token that holds both only", row.row_number, row.code)
        });
        return Err(Refused::RegionRows(lines.collect::<Vec<_>>().join("; ")).into());
    }
    Ok(())
}
