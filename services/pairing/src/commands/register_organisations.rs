//! Registers organisations: one, or a batch of them.

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    register,
    request::{
        Command, Context,
        batch::{Done, Outcomes, Rows},
    },
};

use super::Policy;
use crate::{
    domain::{
        OrganisationId,
        credit_code::CreditCode,
        organisation::{Organisation, OrganisationDraft},
    },
    error::{Error, Refused},
    store::organisations,
};

/// Registers one organisation.
pub struct RegisterOrganisation(pub OrganisationDraft);

impl Command for RegisterOrganisation {
    type Policy = Policy;
    type Output = Organisation;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<Organisation, Error> {
        let mut outcomes = register(conn, context, vec![Ok(self.0)]).await?;
        outcomes.pop().unwrap_or_else(|| Err(Error::Corrupt("no outcome".to_owned())))
    }
}

/// Registers some organisations.
pub struct RegisterOrganisations(pub Rows<OrganisationDraft, Refused>);

impl Command for RegisterOrganisations {
    type Policy = Policy;
    type Output = Outcomes<Refused>;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<Self::Output, Error> {
        let place = self.0.place();
        let outcomes = register(conn, context, self.0.rows).await?;
        place.accept(&outcomes)?;
        let taken = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Error::Refused(Refused::CreditCodeTaken(_)))))
            .count();
        if let Ok(taken @ 1..) = u32::try_from(taken) {
            limit::add(conn, context, Limited::LookUp, taken).await?;
        }
        Ok(Outcomes::of(outcomes, |organisation| Done::made(organisation.id.0)))
    }
}

/// Registers organisations in one go.
pub(super) async fn register(
    conn: &mut PgConnection,
    context: &Context,
    rows: Vec<Result<OrganisationDraft, Error>>,
) -> Result<Vec<Result<Organisation, Error>>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    if rows.iter().flatten().any(|draft| draft.credit_code.is_some()) {
        limit::lock(conn, context).await?;
    }
    let look_ups = limit::left(conn, context, Limited::LookUp).await?;
    let homes = register::known(conn, rows.iter().flatten().map(|draft| draft.region)).await?;

    let decide = |row: Result<OrganisationDraft, Error>| {
        let draft = row?;
        draft.check()?;
        homes.open_on(draft.region, context.today())?;
        // The answer reveals whether a code is taken anywhere, so it counts against the limit of look-ups.
        if draft.credit_code.is_some() {
            look_ups.require()?;
        }
        Ok(draft.register(OrganisationId(context.new_id())))
    };
    let mut outcomes: Vec<Result<Organisation, Error>> = rows.into_iter().map(decide).collect();
    let new: Vec<Organisation> = outcomes.iter().flatten().cloned().collect();
    let taken = organisations::add(conn, context, &new).await?;
    for outcome in &mut outcomes {
        if let Ok(organisation) = outcome
            && taken.contains(&organisation.id)
        {
            let code = organisation.draft.credit_code.as_ref().map_or("", CreditCode::as_str).to_owned();
            *outcome = Err(Refused::CreditCodeTaken(code).into());
        }
    }
    Ok(outcomes)
}
