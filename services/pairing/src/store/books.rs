//! Reads the pairings around some organisations and villages.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use super::{pairings::Row, period};
use crate::{
    domain::{
        OrganisationId, PairingId,
        book::Book,
        organisation::OrganisationKind,
        pairing::{Pairing, PairingKind},
        period::Period,
    },
    error::Error,
};

/// Reads all pairings of the organisations, and all in the regions, whoever the caller is: it holds locks on them and
/// has widened the transaction to every region.
///
/// Three look-ups, the last one region by region: if Postgres plans while the table is empty, it turns one WHERE with
/// OR, or a join, into a full scan.
pub async fn load(
    conn: &mut PgConnection,
    organisations: &[OrganisationId],
    regions: &[RegionCode],
) -> Result<Book, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id AS "pairing_id!: PairingId", kind AS "kind!: PairingKind",
               supporter_id AS "supporter_id!: OrganisationId", supporter_name AS "supporter_name!",
               supporter_host_kind AS "supporter_host_kind: OrganisationKind",
               recipient_id AS "recipient_id!: OrganisationId", recipient_name AS "recipient_name!",
               region_code AS "region_code!: RegionCode",
               agreement_number AS "agreement_number!", starts_on AS "starts_on!", ends_on,
               end_reason AS "end_reason!", void_reason AS "void_reason!", version AS "version!"
        FROM (
            SELECT * FROM pairing WHERE supporter_id = ANY($1)
            UNION SELECT * FROM pairing WHERE recipient_id = ANY($1)
            UNION
            SELECT in_region.*
            FROM unnest($2::bigint[]) AS asked (region_code),
                LATERAL (SELECT * FROM pairing WHERE region_code = asked.region_code AND kind = ANY($3) OFFSET 0) AS in_region
        ) AS pairing
        WHERE void_reason = ''
        "#,
        organisations as &[OrganisationId],
        regions as &[RegionCode],
        PairingKind::ALL as &[PairingKind],
    )
    .fetch_all(&mut *conn)
    .await?;
    let pairings: Vec<Pairing> = rows.into_iter().map(Pairing::try_from).collect::<Result<_, _>>()?;
    let organisations: HashSet<OrganisationId> = organisations.iter().copied().collect();
    Ok(Book::new(pairings, &organisations, assisted(conn, regions).await?))
}

/// The periods in which villages count as assisted.
pub(super) async fn assisted(
    conn: &mut PgConnection,
    regions: &[RegionCode],
) -> Result<HashMap<RegionCode, Vec<Period>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT region_code, from_date, until_date
        FROM assistance
        WHERE level = 'village' AND region_code = ANY($1)
        ORDER BY region_code, from_date
        "#,
        regions as &[RegionCode],
    )
    .fetch_all(conn)
    .await?;
    let mut periods: HashMap<RegionCode, Vec<Period>> = HashMap::new();
    for row in rows {
        periods.entry(row.region_code).or_default().push(period(row.from_date, row.until_date)?);
    }
    Ok(periods)
}
