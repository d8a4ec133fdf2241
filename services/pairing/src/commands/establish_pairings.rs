//! Establishes pairings: one, or a batch of them.

use std::collections::HashMap;

use sqlx::PgConnection;
use tongxin_platform::{
    register::{self, KnownRegions},
    request::{
        Command, Context,
        batch::{Done, Outcomes, Rows},
    },
};

use super::Policy;
use crate::{
    domain::{
        OrganisationId, PairingId,
        book::Book,
        organisation::Organisation,
        pairing::{Pairing, PairingDraft},
    },
    error::{Error, Refused},
    store::{
        books, coverage_rules, locks, organisations,
        pairings::{self, Established},
    },
};

/// Establishes one pairing.
pub struct EstablishPairing(pub PairingDraft);

impl Command for EstablishPairing {
    type Policy = Policy;
    type Output = Pairing;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Pairing, Error> {
        let mut outcomes = establish(conn, context, policy, vec![Ok(self.0)]).await?;
        outcomes.pop().unwrap_or_else(|| Err(Error::Corrupt("no outcome".to_owned())))
    }
}

/// Establishes some pairings.
pub struct EstablishPairings(pub Rows<PairingDraft, Refused>);

impl Command for EstablishPairings {
    type Policy = Policy;
    type Output = Outcomes<Refused>;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Self::Output, Error> {
        let place = self.0.place();
        let outcomes = establish(conn, context, policy, self.0.rows).await?;
        place.accept(&outcomes)?;
        Ok(Outcomes::of(outcomes, |pairing| Done::made(pairing.id.0)))
    }
}

async fn establish(
    conn: &mut PgConnection,
    context: &Context,
    policy: &Policy,
    rows: Vec<Result<PairingDraft, Error>>,
) -> Result<Vec<Result<Pairing, Error>>, Error> {
    let both = |draft: &PairingDraft| [draft.supporter, draft.recipient];
    let ids: Vec<OrganisationId> = rows.iter().flatten().flat_map(both).collect();
    locks::organisations(conn, ids.iter().copied()).await?;
    // Organisations that the caller may not see are not found.
    let organisations = organisations::find_many(conn, &ids).await?;
    let recipients = rows.iter().flatten().filter_map(|draft| organisations.get(&draft.recipient));
    let regions: Vec<_> = recipients.map(|recipient| recipient.draft.region).collect();
    coverage_rules::lock_coverage(conn, regions.iter().copied(), &policy.coverage).await?;
    let homes = register::known(conn, regions.iter().copied()).await?;
    // Counts must not depend on the caller.
    let load = async |conn: &mut PgConnection| books::load(conn, &ids, &regions).await;
    let mut book = context.everywhere(conn, load).await?;

    let mut established: Vec<Established> = Vec::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let decided = row.and_then(|draft| decide(draft, &organisations, &homes, &mut book, context, policy));
        outcomes.push(decided.map(|(pairing, changes)| {
            established.push((pairing.clone(), changes));
            pairing
        }));
    }
    pairings::add(conn, context, &established).await?;
    Ok(outcomes)
}

fn decide(
    draft: PairingDraft,
    organisations: &HashMap<OrganisationId, Organisation>,
    homes: &KnownRegions,
    book: &mut Book,
    context: &Context,
    policy: &Policy,
) -> Result<Established, Error> {
    policy.check_date("starts_on", draft.period.starts_on(), context)?;
    let organisation =
        |field: &str, id| organisations.get(&id).ok_or_else(|| Refused::OrganisationNotFound(id).at(field));
    let supporter = organisation("supporter_id", draft.supporter)?;
    let recipient = organisation("recipient_id", draft.recipient)?;
    let starts_on = draft.period.starts_on();
    let pairing = draft.establish(PairingId(context.new_id()), supporter, recipient)?;
    homes.open_on(pairing.region, starts_on).map_err(|refused| Error::from(refused).at("recipient_id"))?;
    let changes = book.establish(pairing.clone(), &policy.coverage)?;
    Ok((pairing, changes))
}
