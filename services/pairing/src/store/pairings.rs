//! Pairings.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    log::{self, NewEvent},
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
    request::Context,
};

use super::{period, published};
use crate::{
    domain::{
        OrganisationId, PairingId,
        book::CountChange,
        organisation::OrganisationKind,
        pairing::{Pairing, PairingDraft, PairingKind, Terms},
    },
    error::{Error, Refused},
};

pub(super) struct Row {
    pub pairing_id: PairingId,
    pub kind: PairingKind,
    pub supporter_id: OrganisationId,
    pub supporter_name: String,
    pub supporter_host_kind: Option<OrganisationKind>,
    pub recipient_id: OrganisationId,
    pub recipient_name: String,
    pub region_code: RegionCode,
    pub agreement_number: String,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub end_reason: String,
    pub void_reason: String,
    pub version: i64,
}

impl TryFrom<Row> for Pairing {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.pairing_id,
            draft: PairingDraft {
                kind: row.kind,
                supporter: row.supporter_id,
                recipient: row.recipient_id,
                agreement_number: row.agreement_number,
                period: period(row.starts_on, row.ends_on)?,
            },
            supporter_name: row.supporter_name,
            supporter_host: row.supporter_host_kind,
            recipient_name: row.recipient_name,
            region: row.region_code,
            end_reason: row.end_reason,
            void_reason: row.void_reason,
            version: row.version,
        })
    }
}

/// Filter of a list of pairings.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Of this region or below.
    pub region: Option<RegionCode>,
    pub kind: Option<PairingKind>,
    /// Of this organisation, on either side.
    pub organisation: Option<OrganisationId>,
    /// In force on this day.
    pub in_force_on: Option<NaiveDate>,
    /// Including voided ones.
    pub voided: bool,
    /// The caller's region: pairings elsewhere are not visible.
    pub own: RegionCode,
}

impl Filter {
    fn kinds(&self) -> Vec<PairingKind> {
        let wanted = |kind: &PairingKind| self.kind.is_none_or(|wanted| wanted == *kind);
        PairingKind::ALL.iter().copied().filter(wanted).collect()
    }
}

/// Lists pairings by region, then in the order of their entry.
pub async fn list(conn: &mut PgConnection, filter: &Filter, page: &Page<PageKey>) -> Result<Vec<Pairing>, Error> {
    let rows = match filter.organisation {
        Some(organisation) => list_of_organisation(conn, organisation, filter, page).await?,
        None => list_of_region(conn, filter, page).await?,
    };
    rows.into_iter().map(Pairing::try_from).collect()
}

/// Uses the index `pairing_list`: it reads a page for each kind, and merges them. Pairings that were not in force on
/// the day, or were voided, are skipped on the way.
async fn list_of_region(
    conn: &mut PgConnection,
    filter: &Filter,
    page: &Page<PageKey>,
) -> Result<Vec<Row>, sqlx::Error> {
    let RegionRange { from, until } =
        filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range).and(filter.own.range());
    let (after_region, after_id) = PageKey::columns(page.after);
    sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM unnest($1::text[]) AS wanted (wanted_kind)
        CROSS JOIN LATERAL (
            SELECT *
            FROM pairing
            WHERE kind = wanted_kind
                AND region_code >= $2 AND region_code < $3
                AND (region_code, pairing_id) > ($4, $5)
                AND ($6::date IS NULL OR (starts_on <= $6 AND (ends_on IS NULL OR ends_on > $6)))
                AND (void_reason = '' OR ($7 AND $6::date IS NULL))
            ORDER BY region_code, pairing_id
            LIMIT $8
        ) AS found
        ORDER BY region_code, pairing_id
        LIMIT $8
        "#,
        &filter.kinds() as &[PairingKind],
        from,
        until,
        after_region,
        after_id,
        filter.in_force_on,
        filter.voided,
        page.fetch(),
    )
    .fetch_all(conn)
    .await
}

/// Uses the indexes `pairing_supporter` and `pairing_recipient`; other pairings of the organisation are skipped on the
/// way.
async fn list_of_organisation(
    conn: &mut PgConnection,
    organisation: OrganisationId,
    filter: &Filter,
    page: &Page<PageKey>,
) -> Result<Vec<Row>, sqlx::Error> {
    let RegionRange { from, until } =
        filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range).and(filter.own.range());
    let (after_region, after_id) = PageKey::columns(page.after);
    sqlx::query_as!(
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
            (
                SELECT *
                FROM pairing
                WHERE supporter_id = $1
                    AND region_code >= $2 AND region_code < $3
                    AND (region_code, pairing_id) > ($4, $5)
                    AND kind = ANY($6)
                    AND ($7::date IS NULL OR (starts_on <= $7 AND (ends_on IS NULL OR ends_on > $7)))
                    AND (void_reason = '' OR ($8 AND $7::date IS NULL))
                ORDER BY region_code, pairing_id
                LIMIT $9
            )
            UNION ALL
            (
                SELECT *
                FROM pairing
                WHERE recipient_id = $1
                    AND region_code >= $2 AND region_code < $3
                    AND (region_code, pairing_id) > ($4, $5)
                    AND kind = ANY($6)
                    AND ($7::date IS NULL OR (starts_on <= $7 AND (ends_on IS NULL OR ends_on > $7)))
                    AND (void_reason = '' OR ($8 AND $7::date IS NULL))
                ORDER BY region_code, pairing_id
                LIMIT $9
            )
        ) AS own
        ORDER BY region_code, pairing_id
        LIMIT $9
        "#,
        organisation.0,
        from,
        until,
        after_region,
        after_id,
        &filter.kinds() as &[PairingKind],
        filter.in_force_on,
        filter.voided,
        page.fetch(),
    )
    .fetch_all(conn)
    .await
}

pub async fn find(conn: &mut PgConnection, id: PairingId) -> Result<Pairing, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM pairing
        WHERE pairing_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or(Refused::PairingNotFound(id))?.try_into()
}

/// Reads pairings that were not voided; those that are not visible are missing.
pub async fn find_many(conn: &mut PgConnection, ids: &[PairingId]) -> Result<HashMap<PairingId, Pairing>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM pairing
        WHERE pairing_id = ANY($1) AND void_reason = ''
        "#,
        ids as &[PairingId],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Pairing::try_from(row).map(|pairing| (pairing.id, pairing))).collect()
}

/// The pairings of the same kind, organisations and first day as some drafts. Those that were voided, or are not visible,
/// are missing.
///
/// One look-up for each draft: if Postgres plans a join while the table is empty, it becomes a full scan.
pub async fn alike(conn: &mut PgConnection, drafts: &[&PairingDraft]) -> Result<HashMap<Terms, Pairing>, Error> {
    let kinds: Vec<PairingKind> = drafts.iter().map(|draft| draft.kind).collect();
    let supporters: Vec<OrganisationId> = drafts.iter().map(|draft| draft.supporter).collect();
    let recipients: Vec<OrganisationId> = drafts.iter().map(|draft| draft.recipient).collect();
    let starts: Vec<NaiveDate> = drafts.iter().map(|draft| draft.period.starts_on()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[])
            AS asked (asked_kind, asked_supporter, asked_recipient, asked_start)
        CROSS JOIN LATERAL (
            SELECT *
            FROM pairing
            WHERE supporter_id = asked_supporter AND recipient_id = asked_recipient
                AND kind = asked_kind AND starts_on = asked_start
                AND void_reason = ''
            OFFSET 0
        ) AS found
        "#,
        &kinds as &[PairingKind],
        &supporters as &[OrganisationId],
        &recipients as &[OrganisationId],
        &starts,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Pairing::try_from(row).map(|pairing| (pairing.draft.terms(), pairing))).collect()
}

/// Number of pairings of an organisation that are in force on or after a day.
pub async fn count_from(conn: &mut PgConnection, id: OrganisationId, day: NaiveDate) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!"
        FROM pairing
        WHERE (supporter_id = $1 OR recipient_id = $1)
            AND (ends_on IS NULL OR ends_on > $2)
            AND void_reason = ''
        "#,
        id.0,
        day,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// A new pairing, with the changes of counts.
pub type Established = (Pairing, Vec<CountChange>);

/// Adds new pairings first, and their events second, in order.
pub async fn add(conn: &mut PgConnection, context: &Context, established: &[Established]) -> Result<(), Error> {
    let pairings = || established.iter().map(|(pairing, _)| pairing);
    let drafts = || pairings().map(|pairing| &pairing.draft);
    let ids: Vec<PairingId> = pairings().map(|pairing| pairing.id).collect();
    let kinds: Vec<PairingKind> = drafts().map(|draft| draft.kind).collect();
    let supporters: Vec<OrganisationId> = drafts().map(|draft| draft.supporter).collect();
    let supporter_names: Vec<&str> = pairings().map(|pairing| pairing.supporter_name.as_str()).collect();
    let hosts: Vec<Option<OrganisationKind>> = pairings().map(|pairing| pairing.supporter_host).collect();
    let recipients: Vec<OrganisationId> = drafts().map(|draft| draft.recipient).collect();
    let recipient_names: Vec<&str> = pairings().map(|pairing| pairing.recipient_name.as_str()).collect();
    let regions: Vec<RegionCode> = pairings().map(|pairing| pairing.region).collect();
    let agreements: Vec<&str> = drafts().map(|draft| draft.agreement_number.as_str()).collect();
    let starts: Vec<NaiveDate> = drafts().map(|draft| draft.period.starts_on()).collect();
    let ends: Vec<Option<NaiveDate>> = drafts().map(|draft| draft.period.ends_on()).collect();

    sqlx::query!(
        r#"
        INSERT INTO pairing
            (pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
             region_code, agreement_number, starts_on, ends_on, end_reason, version)
        SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::text[]),
               unnest($6::uuid[]), unnest($7::text[]), unnest($8::bigint[]), unnest($9::text[]), unnest($10::date[]),
               unnest($11::date[]), '', 1
        "#,
        &ids as &[PairingId],
        &kinds as &[PairingKind],
        &supporters as &[OrganisationId],
        &supporter_names as &[&str],
        &hosts as &[Option<OrganisationKind>],
        &recipients as &[OrganisationId],
        &recipient_names as &[&str],
        &regions as &[RegionCode],
        &agreements as &[&str],
        &starts,
        &ends as &[Option<NaiveDate>],
    )
    .execute(&mut *conn)
    .await?;
    let mut events = Vec::new();
    for (pairing, changes) in established {
        events.push(published::established(pairing));
        events.extend(consequences(pairing, changes));
    }
    log::append(conn, context, &events).await?;
    Ok(())
}

/// Writes an ended pairing first, and its events second.
pub async fn save_ended(
    conn: &mut PgConnection,
    context: &Context,
    pairing: &Pairing,
    changes: &[CountChange],
) -> Result<(), Error> {
    let ends_on = pairing.draft.period.ends_on();
    sqlx::query!(
        r#"
        UPDATE pairing
        SET ends_on = $2,
            end_reason = $3,
            version = $4
        WHERE pairing_id = $1
        "#,
        pairing.id.0,
        ends_on,
        pairing.end_reason,
        pairing.version,
    )
    .execute(&mut *conn)
    .await?;
    let mut events = vec![published::ended(pairing, ends_on.unwrap_or_else(|| context.today()))];
    events.extend(consequences(pairing, changes));
    log::append(conn, context, &events).await?;
    Ok(())
}

/// Writes a voided pairing first, and its events second.
pub async fn save_voided(
    conn: &mut PgConnection,
    context: &Context,
    pairing: &Pairing,
    changes: &[CountChange],
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE pairing SET void_reason = $2, version = $3 WHERE pairing_id = $1",
        pairing.id.0,
        pairing.void_reason,
        pairing.version,
    )
    .execute(&mut *conn)
    .await?;
    let mut events = vec![published::voided(pairing, context)];
    events.extend(consequences(pairing, changes));
    log::append(conn, context, &events).await?;
    Ok(())
}

fn consequences(pairing: &Pairing, changes: &[CountChange]) -> Vec<NewEvent> {
    let mut events = published::organisations_paired(pairing, changes);
    events.extend(published::coverage(changes));
    events
}

/// The pairings of some kinds in a region that are in force on a day.
pub async fn in_force(
    conn: &mut PgConnection,
    within: RegionCode,
    kinds: &[PairingKind],
    day: NaiveDate,
) -> Result<Vec<Pairing>, Error> {
    let RegionRange { from, until } = within.range();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
               region_code, agreement_number, starts_on, ends_on, end_reason, void_reason, version
        FROM pairing
        WHERE region_code >= $1 AND region_code < $2
            AND kind = ANY($4)
            AND starts_on <= $3 AND (ends_on IS NULL OR ends_on > $3)
            AND void_reason = ''
        "#,
        from,
        until,
        day,
        kinds as &[PairingKind],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Pairing::try_from).collect()
}
