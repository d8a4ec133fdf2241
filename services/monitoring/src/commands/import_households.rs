//! Imports households.

use std::collections::HashSet;

use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, ImportId, Imported},
    limit::{self, Limited},
    region::{Level, RegionCode},
    register::{self, KnownRegions},
    request::Context,
};

use super::{
    Policy,
    register_household::{Kept, New, keep},
};
use crate::{
    domain::{
        HouseholdId,
        household::{Household, HouseholdDraft, HouseholdRefused, Why},
    },
    error::{Error, Refused},
    store::{
        observations::{self, Numbered},
        sealed::Sealed,
    },
};

/// An import of households.
#[derive(Debug)]
pub struct HouseholdImport {
    /// Household numbers that a dry run would have assigned, each in its county; `None` if rows are stored.
    promised: Option<HashSet<(RegionCode, Box<str>)>>,
}

/// A household that is ready to be registered.
pub struct NewHousehold(New);

impl NewHousehold {
    /// Checks and seals a draft. Takes some microseconds per member.
    ///
    /// # Errors
    /// Those of registering it that need no database.
    pub fn prepare(policy: &Policy, context: &Context, draft: HouseholdDraft) -> Result<Self, Error> {
        policy.check_date("registered_on", draft.registered_on, context)?;
        New::prepare(&policy.keys, context, draft).map(Self)
    }
}

impl HouseholdImport {
    /// An import, or a dry run.
    #[must_use]
    pub fn new(dry_run: bool) -> Self {
        Self { promised: dry_run.then(HashSet::new) }
    }

    /// Returns the outcome of a row, and collects it to be stored if it was accepted.
    fn sort(
        &mut self,
        row: Result<NewHousehold, Error>,
        villages: &KnownRegions,
        seen: &Numbered,
        new: &mut Vec<Sealed>,
    ) -> Result<(HouseholdId, Accepted), Error> {
        let New { mut sealed, warnings } = row?.0;
        villages.open_on(sealed.household.region, sealed.household.registered_on)?;
        if let Some(promised) = &mut self.promised {
            promise(promised, &mut sealed.household, seen)?;
        }
        let accepted = (sealed.household.id, Accepted { warned: !warnings.is_empty() });
        new.push(sealed);
        Ok(accepted)
    }
}

/// The key of a household number, which is unique within a county.
fn number_of(household: &Household) -> Option<(RegionCode, Box<str>)> {
    let number = household.household_number.as_deref()?;
    Some((household.region.at(Level::County).unwrap_or(household.region), number.into()))
}

/// Assigns a number in a dry run, which leaves no trace: its answer must not depend on numbers of households that the
/// caller does not see. So Postgres is not asked to keep numbers unique.
fn promise(
    promised: &mut HashSet<(RegionCode, Box<str>)>,
    household: &mut Household,
    seen: &Numbered,
) -> Result<(), Error> {
    let Some((county, number)) = number_of(household) else { return Ok(()) };
    if seen.is_in(&number, county) || promised.contains(&(county, number.clone())) {
        return Err(number_taken());
    }
    promised.insert((county, number));
    household.household_number = None;
    Ok(())
}

/// The numbers of some households that the caller sees as taken.
async fn seen<'a>(conn: &mut PgConnection, households: impl Iterator<Item = &'a Household>) -> Result<Numbered, Error> {
    let numbers: Vec<String> = households.filter_map(|household| household.household_number.clone()).collect();
    observations::households_of_numbers(conn, &numbers).await
}

fn number_taken() -> Error {
    HouseholdRefused::new("household_number", Why::NumberTaken).into()
}

impl Imported for HouseholdImport {
    type Policy = Policy;
    type Refused = Refused;
    type Ready = NewHousehold;

    fn kind(&self) -> &'static str {
        "households"
    }

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        _: &Policy,
        import: ImportId,
        rows: Vec<Result<NewHousehold, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        let villages = rows.iter().flatten().map(|row| row.0.sealed.household.region);
        let villages = register::known(conn, villages).await?;

        let numbered = rows.iter().flatten().map(|row| &row.0.sealed.household);
        let has_numbers = numbered.clone().any(|household| household.household_number.is_some());
        let known = if self.promised.is_some() { seen(conn, numbered).await? } else { Numbered::default() };
        if has_numbers && self.promised.is_none() {
            // The answer reveals whether a number is taken elsewhere, so it counts against the limit of look-ups.
            limit::require(conn, context, Limited::LookUp).await?;
        }
        let mut new = Vec::with_capacity(rows.len());
        let sorted: Vec<_> = rows.into_iter().map(|row| self.sort(row, &villages, &known, &mut new)).collect();
        let Kept { taken, twice } = keep(conn, context, Some(import), &new).await?;
        let refused = || new.iter().map(|sealed| &sealed.household).filter(|household| taken.contains(&household.id));
        let known = seen(conn, refused()).await?;
        let is_seen =
            |household: &&Household| number_of(household).is_some_and(|(county, number)| known.is_in(&number, county));
        let unseen = taken.len() - refused().filter(is_seen).count();
        if unseen > 0 {
            limit::add(conn, context, Limited::LookUp, u32::try_from(unseen).unwrap_or(u32::MAX)).await?;
        }

        let outcome = |sorted: Result<(HouseholdId, Accepted), Error>| match sorted? {
            (id, _) if taken.contains(&id) => Err(number_taken()),
            (id, Accepted { warned }) => Ok(Accepted { warned: warned || twice.contains(&id) }),
        };
        Ok(sorted.into_iter().map(outcome).collect())
    }
}
