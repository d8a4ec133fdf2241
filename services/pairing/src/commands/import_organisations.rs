//! Imports organisations. A row about one that is kept is compared with it.

use std::collections::HashMap;

use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, ImportId, Imported},
    region::RegionCode,
    request::Context,
};

use super::{Policy, register_organisations::register, unchanged};
use crate::{
    domain::{
        OrganisationId,
        credit_code::CreditCode,
        organisation::{Named, Organisation, OrganisationDraft},
    },
    error::{Error, Refused},
    store::{locks, organisations},
};

/// An import of organisations.
#[derive(Debug)]
pub struct OrganisationImport;

/// A row of it.
#[derive(Debug)]
pub struct OrganisationRow {
    /// The organisation that is kept, if the row names one.
    pub id: Option<OrganisationId>,
    /// What is stated.
    pub stated: OrganisationDraft,
}

impl Imported for OrganisationImport {
    type Policy = Policy;
    type Refused = Refused;
    type Ready = OrganisationRow;

    fn kind(&self) -> &'static str {
        "organisations"
    }

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        _: &Policy,
        _: ImportId,
        rows: Vec<Result<OrganisationRow, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        // Before they are compared: no other import registers the same meanwhile.
        let homes: Vec<RegionCode> = rows.iter().flatten().map(|row| row.stated.region).collect();
        locks::homes(conn, homes).await?;
        let known = Known::load(conn, rows.iter().flatten()).await?;
        let (outcomes, new) =
            unchanged::sort(rows, |row| Ok(if known.has(&row)? { None } else { Some(Ok(row.stated)) }));
        let registered = register(conn, context, new).await?;
        let registered = registered.into_iter().map(|outcome| outcome.map(|_| Accepted::default()));
        Ok(unchanged::join(outcomes, registered.collect()))
    }
}

/// The open organisations that some rows are about, as far as the caller sees them.
struct Known {
    by_id: HashMap<OrganisationId, Organisation>,
    of_codes: HashMap<CreditCode, Organisation>,
    of_names: HashMap<Named, Vec<Organisation>>,
}

impl Known {
    async fn load(
        conn: &mut PgConnection,
        rows: impl Iterator<Item = &OrganisationRow> + Clone,
    ) -> Result<Self, Error> {
        let ids: Vec<OrganisationId> = rows.clone().filter_map(|row| row.id).collect();
        let codes: Vec<CreditCode> = rows.clone().filter_map(|row| row.stated.credit_code.clone()).collect();
        let names: Vec<Named> = rows.filter(|row| row.id.is_none()).map(|row| row.stated.named()).collect();
        Ok(Self {
            by_id: organisations::find_many(conn, &ids).await?,
            of_codes: organisations::open_of_codes(conn, &codes).await?,
            of_names: organisations::open_of_names(conn, &names).await?,
        })
    }

    /// Whether a row says what is kept of an organisation. Fails if it is about one of which it says something else.
    fn has(&self, row: &OrganisationRow) -> Result<bool, Error> {
        let Some(kept) = self.find(row)? else { return Ok(false) };
        row.stated.check_alike(kept).map_err(Refused::OrganisationDiffers)?;
        Ok(true)
    }

    /// The organisation that a row is about: by its identifier, by its credit code, or by its name if one of both states no
    /// code. Two with codes of their own are two.
    fn find(&self, row: &OrganisationRow) -> Result<Option<&Organisation>, Error> {
        if let Some(id) = row.id {
            return self.by_id.get(&id).map(Some).ok_or_else(|| Refused::OrganisationNotFound(id).into());
        }
        let code = row.stated.credit_code.as_ref();
        if let Some(kept) = code.and_then(|code| self.of_codes.get(code)) {
            return Ok(Some(kept));
        }
        let of_name = self.of_names.get(&row.stated.named()).into_iter().flatten();
        let mut of_name = of_name.filter(|kept| code.is_none() || kept.draft.credit_code.is_none());
        let first = of_name.clone().next();
        Ok(of_name.find(|kept| row.stated.check_alike(kept).is_ok()).or(first))
    }
}
