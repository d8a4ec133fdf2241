//! Imports households.

use std::collections::HashSet;

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    region::{Level, RegionCode},
    request::Context,
};

use super::{
    Policy,
    import_rows::Imported,
    register_household::{Kept, New, keep},
};
use crate::{
    domain::{
        HouseholdId, ImportId,
        household::{Household, HouseholdDraft, Refused, Why},
        import::{Accepted, ImportKind},
    },
    error::Error,
    store::{observations, regions, sealed::Sealed},
};

/// An import of households.
#[derive(Debug)]
pub struct HouseholdImport {
    /// Household numbers that a dry run has given away, each in its county; `None` when rows are kept.
    promised: Option<HashSet<(RegionCode, Box<str>)>>,
}

/// A household that is ready to be registered.
pub struct NewHousehold(New);

impl NewHousehold {
    /// Checks and seals a draft, which takes some microseconds for each member.
    ///
    /// # Errors
    /// Those of registering it, as far as they can be known without the database.
    pub fn prepare(policy: &Policy, context: &Context, draft: HouseholdDraft) -> Result<Self, Error> {
        policy.check_date("registered_on", draft.registered_on, context)?;
        New::prepare(&policy.keys, context, draft).map(Self)
    }
}

impl HouseholdImport {
    /// An import, or one that keeps nothing.
    #[must_use]
    pub fn new(dry_run: bool) -> Self {
        Self { promised: dry_run.then(HashSet::new) }
    }

    /// Whether a row before this one would have got the number.
    fn is_promised(&self, household: &Household) -> bool {
        let promised = self.promised.as_ref().zip(number_of(household));
        promised.is_some_and(|(promised, number)| promised.contains(&number))
    }

    fn promise(&mut self, given: impl Iterator<Item = (RegionCode, Box<str>)>) {
        if let Some(promised) = &mut self.promised {
            promised.extend(given);
        }
    }

    /// Says what is wrong with a row, or sets it aside to be kept.
    fn sort(
        &self,
        row: Result<NewHousehold, Error>,
        villages: &HashSet<RegionCode>,
        new: &mut Vec<Sealed>,
    ) -> Result<(HouseholdId, Accepted), Error> {
        let New { sealed, warnings } = row?.0;
        let household = &sealed.household;
        if !villages.contains(&household.region) {
            return Err(Error::RegionNotFound(household.region.to_string()));
        }
        if self.is_promised(household) {
            return Err(number_taken());
        }
        let accepted = (household.id, Accepted { warned: !warnings.is_empty() });
        new.push(sealed);
        Ok(accepted)
    }
}

/// A number is unique within a county.
fn number_of(household: &Household) -> Option<(RegionCode, Box<str>)> {
    let number = household.household_number.as_deref()?;
    Some((household.region.at(Level::County).unwrap_or(household.region), number.into()))
}

/// Those of some households whose number another one of their county has that the transaction sees.
async fn seen(
    conn: &mut PgConnection,
    refused: impl Iterator<Item = &Household> + Clone,
) -> Result<HashSet<HouseholdId>, Error> {
    let numbers: Vec<String> = refused.clone().filter_map(|household| household.household_number.clone()).collect();
    let numbered = observations::households_of_numbers(conn, &numbers).await?;
    let is_seen =
        |household: &&Household| number_of(household).is_some_and(|(county, number)| numbered.is_in(&number, county));
    Ok(refused.filter(is_seen).map(|household| household.id).collect())
}

fn number_taken() -> Error {
    Refused::new("household_number", Why::NumberTaken).into()
}

impl Imported for HouseholdImport {
    const KIND: ImportKind = ImportKind::Households;

    type Ready = NewHousehold;

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        _: &Policy,
        import: ImportId,
        rows: Vec<Result<NewHousehold, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        let villages: HashSet<RegionCode> = rows.iter().flatten().map(|row| row.0.sealed.household.region).collect();
        let villages: Vec<RegionCode> = villages.into_iter().collect();
        let villages = regions::existing(conn, &villages, context.today()).await?.into_iter().collect();

        let mut new = Vec::with_capacity(rows.len());
        let sorted: Vec<_> = rows.into_iter().map(|row| self.sort(row, &villages, &mut new)).collect();
        if new.iter().any(|sealed| sealed.household.household_number.is_some()) {
            // Whether a number is taken elsewhere is told, so it is asked as often as one may look up.
            limit::require(conn, context, Limited::LookUp).await?;
        }
        let Kept { taken, twice } = keep(conn, context, Some(import), &new).await?;
        let given = new.iter().filter(|sealed| !taken.contains(&sealed.household.id));
        self.promise(given.filter_map(|sealed| number_of(&sealed.household)));
        let refused = new.iter().map(|sealed| &sealed.household).filter(|household| taken.contains(&household.id));
        let seen = seen(conn, refused).await?;
        // A dry run leaves no trace, so it does not tell of numbers of households that the caller does not see.
        let told = if self.promised.is_some() {
            seen
        } else {
            let unseen = u32::try_from(taken.len() - seen.len()).unwrap_or(u32::MAX);
            if unseen > 0 {
                limit::add(conn, context, Limited::LookUp, unseen).await?;
            }
            taken
        };

        let outcome = |sorted: Result<(HouseholdId, Accepted), Error>| match sorted? {
            (id, _) if told.contains(&id) => Err(number_taken()),
            (id, Accepted { warned }) => Ok(Accepted { warned: warned || twice.contains(&id) }),
        };
        Ok(sorted.into_iter().map(outcome).collect())
    }
}
