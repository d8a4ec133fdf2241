//! Imports organisations. A row about one that is kept is compared with it.

use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, ImportId, Imported},
    request::Context,
};

use super::{Policy, register_organisations::register, unchanged};
use crate::{
    domain::{
        OrganisationId,
        credit_code::CreditCode,
        organisation::{Organisation, OrganisationDraft},
    },
    error::{Error, Refused},
    store::organisations,
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
        let ids: Vec<OrganisationId> = rows.iter().flatten().filter_map(|row| row.id).collect();
        let codes = rows.iter().flatten().filter_map(|row| row.stated.credit_code.clone());
        let by_id = organisations::find_many(conn, &ids).await?;
        let by_code = organisations::open_of_codes(conn, &codes.collect::<Vec<CreditCode>>()).await?;

        let kept = |row: &OrganisationRow| -> Result<Option<&Organisation>, Error> {
            match row.id {
                Some(id) => by_id.get(&id).map(Some).ok_or_else(|| Refused::OrganisationNotFound(id).into()),
                None => Ok(row.stated.credit_code.as_ref().and_then(|code| by_code.get(code))),
            }
        };
        let (outcomes, new) = unchanged::sort(rows, |row| {
            let Some(kept) = kept(&row)? else { return Ok(Some(row.stated)) };
            row.stated.check_alike(kept).map_err(Refused::OrganisationDiffers)?;
            Ok(None)
        });
        let registered = register(conn, context, new).await?;
        Ok(unchanged::join(outcomes, registered))
    }
}
