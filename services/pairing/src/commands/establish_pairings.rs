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
        credit_code::CreditCode,
        organisation::{Organisation, Side},
        pairing::{OrganisationRef, Pairing, PairingDraft, StatedPairing},
    },
    error::{Error, Refused},
    store::{
        books, coverage_rules, locks, organisations,
        pairings::{self, Established},
    },
};

/// Establishes one pairing.
pub struct EstablishPairing(pub StatedPairing);

impl Command for EstablishPairing {
    type Policy = Policy;
    type Output = Pairing;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Pairing, Error> {
        let drafts = resolve(conn, vec![Ok(self.0)]).await?;
        let mut outcomes = establish(conn, context, policy, drafts).await?;
        outcomes.pop().unwrap_or_else(|| Err(Error::Corrupt("no outcome".to_owned())))
    }
}

/// Establishes some pairings.
pub struct EstablishPairings(pub Rows<StatedPairing, Refused>);

impl Command for EstablishPairings {
    type Policy = Policy;
    type Output = Outcomes<Refused>;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Self::Output, Error> {
        let place = self.0.place();
        let drafts = resolve(conn, self.0.rows).await?;
        let outcomes = establish(conn, context, policy, drafts).await?;
        place.accept(&outcomes)?;
        Ok(Outcomes::of(outcomes, |pairing| Done::made(pairing.id.0)))
    }
}

/// Finds the organisations that are named by their credit codes.
pub(super) async fn resolve(
    conn: &mut PgConnection,
    rows: Vec<Result<StatedPairing, Error>>,
) -> Result<Vec<Result<PairingDraft, Error>>, Error> {
    let codes: Vec<CreditCode> = rows.iter().flatten().flat_map(StatedPairing::codes).cloned().collect();
    let known = match codes.as_slice() {
        [] => HashMap::new(),
        codes => organisations::open_of_codes(conn, codes).await?,
    };
    let find = |side: Side, named: OrganisationRef| match named {
        OrganisationRef::Id(id) => Ok(id),
        OrganisationRef::Code(code) => match known.get(&code) {
            Some(organisation) => Ok(organisation.id),
            None => Err(Refused::CreditCodeNotFound(code.as_str().to_owned()).at(side.code_field())),
        },
    };
    let resolve = |row: Result<StatedPairing, Error>| {
        let StatedPairing { kind, supporter, recipient, agreement_number, period } = row?;
        Ok(PairingDraft {
            kind,
            supporter: find(Side::Supporter, supporter)?,
            recipient: find(Side::Recipient, recipient)?,
            agreement_number,
            period,
        })
    };
    Ok(rows.into_iter().map(resolve).collect())
}

/// Establishes pairings in one go.
pub(super) async fn establish(
    conn: &mut PgConnection,
    context: &Context,
    policy: &Policy,
    rows: Vec<Result<PairingDraft, Error>>,
) -> Result<Vec<Result<Pairing, Error>>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
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
