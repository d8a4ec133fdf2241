//! Reads the pairings around some organisations and villages.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use super::{pairings::Row, period, region};
use crate::{
    domain::{
        OrganisationId,
        book::Book,
        pairing::{Pairing, PairingKind},
        period::Period,
    },
    error::Error,
};

/// Reads all pairings of the organisations, and all in the regions, whoever asks: the caller holds
/// locks on them and has set the transaction to see every region.
pub async fn load(
    conn: &mut PgConnection,
    organisations: &[OrganisationId],
    regions: &[RegionCode],
) -> Result<Book, Error> {
    let ids: Vec<_> = organisations.iter().map(|id| id.0).collect();
    let codes: Vec<i64> = regions.iter().map(|code| code.number()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM pairing
        WHERE void_reason = '' AND (
            supporter_id = ANY($1)
            OR recipient_id = ANY($1)
            OR (kind = ANY($3) AND region_code = ANY($2))
        )
        "#,
        &ids,
        &codes,
        &PairingKind::ALL.map(PairingKind::name) as &[&str],
    )
    .fetch_all(&mut *conn)
    .await?;
    let pairings: Vec<Pairing> = rows.into_iter().map(Pairing::try_from).collect::<Result<_, _>>()?;
    let organisations: HashSet<OrganisationId> = organisations.iter().copied().collect();
    Ok(Book::new(pairings, &organisations, assisted(conn, &codes).await?))
}

/// The periods in which villages count as assisted.
pub(super) async fn assisted(
    conn: &mut PgConnection,
    codes: &[i64],
) -> Result<HashMap<RegionCode, Vec<Period>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT region_code, from_date, until_date
        FROM assistance
        WHERE level = 'village' AND region_code = ANY($1)
        ORDER BY region_code, from_date
        "#,
        codes,
    )
    .fetch_all(conn)
    .await?;
    let mut periods: HashMap<RegionCode, Vec<Period>> = HashMap::new();
    for row in rows {
        periods.entry(region(row.region_code)?).or_default().push(period(row.from_date, row.until_date)?);
    }
    Ok(periods)
}
