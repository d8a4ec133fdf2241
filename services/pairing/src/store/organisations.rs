//! Organisations.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    log,
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
    request::Context,
};

use super::published;
use crate::{
    domain::{
        OrganisationId,
        credit_code::CreditCode,
        organisation::{Closed, Named, Organisation, OrganisationDraft, OrganisationEvent, OrganisationKind, Side},
    },
    error::{Error, Refused},
};

struct Row {
    organisation_id: OrganisationId,
    name: String,
    kind: OrganisationKind,
    side: Side,
    host_kind: Option<OrganisationKind>,
    region_code: RegionCode,
    credit_code: Option<CreditCode>,
    closed_on: Option<NaiveDate>,
    close_reason: Option<String>,
    version: i64,
}

impl TryFrom<Row> for Organisation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let closed = match (row.closed_on, row.close_reason) {
            (None, None) => None,
            (Some(on), Some(reason)) => Some(Closed { on, reason }),
            _ => return Err(Error::Corrupt(format!("an organisation closed by half: {}", row.organisation_id))),
        };
        let draft = OrganisationDraft {
            name: row.name,
            kind: row.kind,
            side: row.side,
            host_kind: row.host_kind,
            region: row.region_code,
            credit_code: row.credit_code,
        };
        Ok(Self { id: row.organisation_id, draft, closed, version: row.version })
    }
}

/// Filter of a list of organisations.
#[derive(Debug, Clone)]
pub struct Filter {
    /// At home in this region or below.
    pub region: Option<RegionCode>,
    pub kind: Option<OrganisationKind>,
    pub side: Option<Side>,
    /// The caller's region: recipients elsewhere are not visible.
    pub own: RegionCode,
}

/// Lists organisations by region, then in the order of their registration.
///
/// Uses the index `organisation_list`: it reads a page for each side and kind, and merges them.
pub async fn list(conn: &mut PgConnection, filter: &Filter, page: &Page<PageKey>) -> Result<Vec<Organisation>, Error> {
    let (mut sides, mut kinds, mut from, mut until) = (vec![], vec![], vec![], vec![]);
    for side in Side::ALL.iter().copied().filter(|side| filter.side.is_none_or(|wanted| wanted == *side)) {
        let range = match side {
            Side::Supporter => filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range),
            Side::Recipient => filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range).and(filter.own.range()),
        };
        for kind in
            OrganisationKind::ALL.iter().copied().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind))
        {
            sides.push(side);
            kinds.push(kind);
            from.push(range.from);
            until.push(range.until);
        }
    }
    let (after_region, after_id) = PageKey::columns(page.after);
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT organisation_id, name, kind, side, host_kind, region_code, credit_code, closed_on, close_reason, version
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
            AS wanted (wanted_side, wanted_kind, from_code, until_code)
        CROSS JOIN LATERAL (
            SELECT *
            FROM organisation
            WHERE side = wanted_side
                AND kind = wanted_kind
                AND region_code >= from_code AND region_code < until_code
                AND (region_code, organisation_id) > ($5, $6)
            ORDER BY region_code, organisation_id
            LIMIT $7
        ) AS found
        ORDER BY region_code, organisation_id
        LIMIT $7
        "#,
        &sides as &[Side],
        &kinds as &[OrganisationKind],
        &from,
        &until,
        after_region,
        after_id,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// Reads organisations; those that do not exist or are not visible are missing.
pub async fn find_many(
    conn: &mut PgConnection,
    ids: &[OrganisationId],
) -> Result<HashMap<OrganisationId, Organisation>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT organisation_id, name, kind, side, host_kind, region_code, credit_code, closed_on, close_reason, version
        FROM organisation
        WHERE organisation_id = ANY($1)
        "#,
        ids as &[OrganisationId],
    )
    .fetch_all(conn)
    .await?;
    let with_id = |row| Organisation::try_from(row).map(|organisation| (organisation.id, organisation));
    rows.into_iter().map(with_id).collect()
}

/// The open organisations with some credit codes; those that are not visible are missing.
pub async fn open_of_codes(
    conn: &mut PgConnection,
    codes: &[CreditCode],
) -> Result<HashMap<CreditCode, Organisation>, Error> {
    let codes: Vec<&str> = codes.iter().map(CreditCode::as_str).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT organisation_id, name, kind, side, host_kind, region_code, credit_code, closed_on, close_reason, version
        FROM organisation
        WHERE credit_code = ANY($1) AND closed_on IS NULL
        "#,
        &codes as &[&str],
    )
    .fetch_all(conn)
    .await?;
    let mut organisations = HashMap::with_capacity(rows.len());
    for row in rows {
        let organisation = Organisation::try_from(row)?;
        if let Some(code) = organisation.draft.credit_code.clone() {
            organisations.insert(code, organisation);
        }
    }
    Ok(organisations)
}

/// The open organisations with some names; those that are not visible are missing.
///
/// One look-up for each name: if Postgres plans a join while the table is empty, it becomes a full scan.
pub async fn open_of_names(
    conn: &mut PgConnection,
    names: &[Named],
) -> Result<HashMap<Named, Vec<Organisation>>, Error> {
    let kinds: Vec<OrganisationKind> = names.iter().map(|named| named.kind).collect();
    let sides: Vec<Side> = names.iter().map(|named| named.side).collect();
    let regions: Vec<RegionCode> = names.iter().map(|named| named.region).collect();
    let names: Vec<&str> = names.iter().map(|named| named.name.as_str()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT organisation_id, name, kind, side, host_kind, region_code, credit_code, closed_on, close_reason, version
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            AS asked (asked_name, asked_kind, asked_side, asked_region)
        CROSS JOIN LATERAL (
            SELECT *
            FROM organisation
            WHERE region_code = asked_region AND name = asked_name
                AND kind = asked_kind AND side = asked_side
                AND closed_on IS NULL
            OFFSET 0
        ) AS found
        "#,
        &names as &[&str],
        &kinds as &[OrganisationKind],
        &sides as &[Side],
        &regions as &[RegionCode],
    )
    .fetch_all(conn)
    .await?;
    let mut organisations = HashMap::<Named, Vec<Organisation>>::new();
    for row in rows {
        let organisation = Organisation::try_from(row)?;
        organisations.entry(organisation.draft.named()).or_default().push(organisation);
    }
    Ok(organisations)
}

pub async fn find(conn: &mut PgConnection, id: OrganisationId) -> Result<Organisation, Error> {
    find_many(conn, &[id]).await?.remove(&id).ok_or_else(|| Refused::OrganisationNotFound(id).into())
}

/// Adds new organisations with their events, in order, and returns those whose credit code is taken: they are not
/// added.
pub async fn add(
    conn: &mut PgConnection,
    context: &Context,
    organisations: &[Organisation],
) -> Result<HashSet<OrganisationId>, Error> {
    let drafts = || organisations.iter().map(|organisation| &organisation.draft);
    let ids: Vec<OrganisationId> = organisations.iter().map(|organisation| organisation.id).collect();
    let names: Vec<&str> = drafts().map(|draft| draft.name.as_str()).collect();
    let kinds: Vec<OrganisationKind> = drafts().map(|draft| draft.kind).collect();
    let sides: Vec<Side> = drafts().map(|draft| draft.side).collect();
    let hosts: Vec<Option<OrganisationKind>> = drafts().map(|draft| draft.host_kind).collect();
    let regions: Vec<RegionCode> = drafts().map(|draft| draft.region).collect();
    let codes: Vec<Option<&CreditCode>> = drafts().map(|draft| draft.credit_code.as_ref()).collect();
    let valid: Vec<Option<bool>> = drafts().map(|draft| draft.credit_code.as_ref().map(CreditCode::is_valid)).collect();

    let added = sqlx::query_scalar!(
        r#"
        INSERT INTO organisation
            (organisation_id, name, kind, side, host_kind, region_code, credit_code, credit_code_valid, version)
        SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]),
               unnest($6::bigint[]), unnest($7::text[]), unnest($8::boolean[]), 1
        ON CONFLICT (credit_code) WHERE closed_on IS NULL DO NOTHING
        RETURNING organisation_id
        "#,
        &ids as &[OrganisationId],
        &names as &[&str],
        &kinds as &[OrganisationKind],
        &sides as &[Side],
        &hosts as &[Option<OrganisationKind>],
        &regions as &[RegionCode],
        &codes as &[Option<&CreditCode>],
        &valid as &[Option<bool>],
    )
    .fetch_all(&mut *conn)
    .await?;
    let added: HashSet<OrganisationId> = added.into_iter().collect();

    let events = organisations.iter().filter(|organisation| added.contains(&organisation.id));
    let events: Vec<_> = events
        .map(|organisation| published::organisation(organisation, &OrganisationEvent::Registered, context))
        .collect();
    log::append(conn, context, &events).await?;
    Ok(ids.into_iter().filter(|id| !added.contains(id)).collect())
}

/// Writes a changed organisation first and its events second.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    change: Change<Organisation, OrganisationEvent>,
) -> Result<Organisation, Error> {
    let Change { state, events } = change;
    if events.is_empty() {
        return Ok(state);
    }
    let code = state.draft.credit_code.as_ref();
    let written = sqlx::query!(
        r#"
        UPDATE organisation
        SET closed_on = $2,
            close_reason = $3,
            version = $4,
            name = $5,
            credit_code = $6,
            credit_code_valid = $7
        WHERE organisation_id = $1
        "#,
        state.id as OrganisationId,
        state.closed.as_ref().map(|closed| closed.on),
        state.closed.as_ref().map(|closed| closed.reason.as_str()),
        state.version,
        state.draft.name,
        code.map(CreditCode::as_str),
        code.map(CreditCode::is_valid),
    )
    .execute(&mut *conn)
    .await
    .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
        Some("organisation_open_credit_code") => {
            Refused::CreditCodeTaken(code.map_or("", CreditCode::as_str).into()).into()
        }
        _ => Error::from(error),
    })?;
    if written.rows_affected() != 1 {
        return Err(Refused::OrganisationNotFound(state.id).into());
    }
    let events: Vec<_> = events.iter().map(|event| published::organisation(&state, event, context)).collect();
    log::append(conn, context, &events).await?;
    Ok(state)
}
