//! Tallies, and the events that tell of them.

use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    log::{self, NewEvent},
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
    request::Context,
};
use tongxin_proto::toy::v1;

use crate::{
    domain::tally::{Counted, Tally},
    error::Error,
};

/// A tally, which nobody else counts in until the transaction ends. One that is not there yet begins at zero.
pub async fn lock(conn: &mut PgConnection, region: RegionCode, name: String) -> Result<Tally, sqlx::Error> {
    let reached = sqlx::query_scalar!(
        r#"
        INSERT INTO tally (region_code, name, reached)
        VALUES ($1, $2, 0)
        ON CONFLICT (region_code, name) DO UPDATE
        SET reached = tally.reached
        RETURNING reached
        "#,
        region as RegionCode,
        name,
    )
    .fetch_one(conn)
    .await?;
    Ok(Tally { region, name, reached })
}

/// Writes the tally first and its events second; see [`log::append`] for why.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    change: Change<Tally, Counted>,
) -> Result<Tally, sqlx::Error> {
    let Change { state: tally, events } = change;
    sqlx::query!(
        "UPDATE tally SET reached = $3 WHERE region_code = $1 AND name = $2",
        tally.region as RegionCode,
        tally.name,
        tally.reached,
    )
    .execute(&mut *conn)
    .await?;
    let id = format!("{}/{}", tally.region, tally.name);
    let stated = |event: &Counted| {
        let counted = v1::Counted {
            region_code: tally.region.to_string(),
            name: tally.name.clone(),
            by: event.by,
            reached: tally.reached,
        };
        NewEvent::new(("tally", &id), tally.region, context.today(), &counted)
    };
    log::append(conn, context, &events.iter().map(stated).collect::<Vec<_>>()).await?;
    Ok(tally)
}

/// Tallies of a range of regions with the names of these, by region and name.
pub async fn list(
    conn: &mut PgConnection,
    range: RegionRange,
    page: &Page<PageKey<String>>,
) -> Result<Vec<(Tally, String)>, Error> {
    let (after_region, after_name) = PageKey::columns_in(range, page.after.clone());
    let rows = sqlx::query!(
        r#"
        SELECT region_code AS "region: RegionCode", name, reached,
               coalesce((SELECT region.name FROM region WHERE region.region_code = tally.region_code), '')
                   AS "region_name!"
        FROM tally
        WHERE (region_code, name) > ($1, $2) AND region_code < $3
        ORDER BY region_code, name
        LIMIT $4
        "#,
        after_region,
        after_name,
        range.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    let tally = |region, name, reached| Tally { region, name, reached };
    Ok(rows.into_iter().map(|row| (tally(row.region, row.name, row.reached), row.region_name)).collect())
}
