//! Imports pairings. A row about one that is kept is compared with it.

use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, ImportId, Imported},
    request::Context,
};

use super::{
    Policy,
    establish_pairings::{establish, resolve},
    unchanged,
};
use crate::{
    domain::{
        OrganisationId, PairingId,
        pairing::{Pairing, PairingDraft, StatedPairing},
    },
    error::{Error, Refused},
    store::{locks, pairings},
};

/// An import of pairings.
#[derive(Debug)]
pub struct PairingImport;

/// A row of it.
#[derive(Debug)]
pub struct PairingRow {
    /// The pairing that is kept, if the row names one.
    pub id: Option<PairingId>,
    /// What is stated.
    pub stated: StatedPairing,
}

impl Imported for PairingImport {
    type Policy = Policy;
    type Refused = Refused;
    type Ready = PairingRow;

    fn kind(&self) -> &'static str {
        "pairings"
    }

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &Policy,
        _: ImportId,
        rows: Vec<Result<PairingRow, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        let ids: Vec<Option<PairingId>> = rows.iter().map(|row| row.as_ref().ok().and_then(|row| row.id)).collect();
        let stated = rows.into_iter().map(|row| row.map(|row| row.stated)).collect();
        let drafts = resolve(conn, stated).await?;
        // Before they are compared: nobody establishes the same meanwhile.
        let paired = drafts.iter().flatten().flat_map(|draft| [draft.supporter, draft.recipient]);
        let paired: Vec<OrganisationId> = paired.collect();
        locks::organisations(conn, paired).await?;
        let named: Vec<PairingId> = ids.iter().copied().flatten().collect();
        let by_id = pairings::find_many(conn, &named).await?;
        let by_terms = pairings::alike(conn, &drafts.iter().flatten().collect::<Vec<_>>()).await?;

        let kept = |id: Option<PairingId>, draft: &PairingDraft| -> Result<Option<&Pairing>, Error> {
            match id {
                Some(id) => by_id.get(&id).map(Some).ok_or_else(|| Refused::PairingNotFound(id).into()),
                None => Ok(by_terms.get(&draft.terms())),
            }
        };
        let rows = ids.into_iter().zip(drafts).map(|(id, draft)| draft.map(|draft| (id, draft))).collect();
        let (outcomes, new) = unchanged::sort(rows, |(id, draft)| {
            let Some(kept) = kept(id, &draft)? else { return Ok(Some(draft)) };
            draft.check_alike(kept).map_err(Refused::PairingDiffers)?;
            Ok(None)
        });
        let established = establish(conn, context, policy, new.into_iter().map(Ok).collect()).await?;
        let established = established.into_iter().map(|outcome| outcome.map(|_| Accepted::default()));
        Ok(unchanged::join(outcomes, established.collect()))
    }
}
