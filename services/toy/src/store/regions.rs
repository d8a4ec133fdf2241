//! Names of regions.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

/// Keeps names of regions.
pub async fn save(conn: &mut PgConnection, regions: BTreeMap<RegionCode, String>) -> Result<(), sqlx::Error> {
    let (codes, names): (Vec<i64>, Vec<String>) = regions.into_iter().map(|(code, name)| (code.number(), name)).unzip();
    sqlx::query!(
        r#"
        INSERT INTO region (region_code, name)
        SELECT * FROM unnest($1::bigint[], $2::text[])
        ON CONFLICT (region_code) DO UPDATE
        SET name = excluded.name
        "#,
        &codes,
        &names,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets all of them.
pub async fn forget(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM region").execute(conn).await?;
    Ok(())
}
