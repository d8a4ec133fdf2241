//! Changes of one organisation.

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    request::{Command, Context},
};

use super::{Policy, at_version};
use crate::{
    domain::{
        OrganisationId,
        credit_code::CreditCode,
        organisation::{Closed, Organisation},
    },
    error::{Error, Refused},
    store::{locks, organisations, pairings},
};

/// An organisation that nobody else changes until the transaction ends. Supporters can be read in every region, but
/// changed only in their own.
async fn lock(
    conn: &mut PgConnection,
    context: &Context,
    id: OrganisationId,
    expected_version: i64,
) -> Result<Organisation, Error> {
    locks::organisations(conn, [id]).await?;
    let organisation = organisations::find(conn, id).await?;
    if !context.regions.contains(organisation.draft.region) {
        return Err(Refused::OrganisationNotFound(id).into());
    }
    at_version(organisation.version, expected_version)?;
    Ok(organisation)
}

/// Corrects the name and the credit code of an organisation.
pub struct ChangeOrganisation {
    pub organisation: OrganisationId,
    pub name: String,
    pub credit_code: Option<CreditCode>,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for ChangeOrganisation {
    type Policy = Policy;
    type Output = Organisation;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<Organisation, Error> {
        let organisation = lock(conn, context, self.organisation, self.expected_version).await?;
        if self.credit_code.is_some() && self.credit_code != organisation.draft.credit_code {
            // The answer reveals whether a code is taken anywhere, so it counts against the limit of look-ups.
            limit::require(conn, context, Limited::LookUp).await?;
        }
        organisations::save(conn, context, organisation.change(self.name, self.credit_code)).await
    }
}

/// Closes an organisation that has no pairings in force any more.
pub struct CloseOrganisation {
    pub organisation: OrganisationId,
    pub closed: Closed,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for CloseOrganisation {
    type Policy = Policy;
    type Output = Organisation;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Organisation, Error> {
        policy.check_date("closed_on", self.closed.on, context)?;
        let organisation = lock(conn, context, self.organisation, self.expected_version).await?;
        // A supporter's pairings may be outside the caller's region.
        let count = async |conn: &mut PgConnection| pairings::count_from(conn, organisation.id, self.closed.on).await;
        let in_force = context.everywhere(conn, count).await?;
        if in_force > 0 {
            return Err(Refused::OrganisationHasPairings(in_force).into());
        }
        organisations::save(conn, context, organisation.close(self.closed)).await
    }
}
