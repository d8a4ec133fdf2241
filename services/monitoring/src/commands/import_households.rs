//! Imports households. A row about one that is kept is compared with it.

use std::collections::{HashMap, HashSet};

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
    restate_household::with_twice,
};
use crate::{
    domain::{
        HouseholdId,
        household::{Household, HouseholdRefused, StatedHousehold, Why},
    },
    error::{Error, Refused},
    store::{
        households,
        keys::Keys,
        observations::{self, Numbered},
        sealed::Sealed,
    },
};

/// An import of households.
#[derive(Debug)]
pub struct HouseholdImport {
    /// Household numbers that a dry run would have assigned, each in its county; `None` if rows are stored.
    promised: Option<HashSet<(RegionCode, Box<str>)>>,
    /// Whether rows are compared with what is kept: only for callers who may read it.
    compares: bool,
}

/// A row that is ready to be compared with the household that is kept, or else to be registered.
pub struct NewHousehold {
    stated: StatedHousehold,
    /// The new household, or why the row is none.
    new: Result<New, Error>,
}

impl NewHousehold {
    /// Checks and seals what is stated, as far as that needs no database. Takes some microseconds per member.
    #[must_use]
    pub fn prepare(policy: &Policy, context: &Context, stated: StatedHousehold) -> Self {
        let new = match stated.id {
            Some(id) => Err(Refused::HouseholdNotFound(id).into()),
            None => Self::prepare_new(policy, context, stated.clone()),
        };
        Self { stated, new }
    }

    fn prepare_new(policy: &Policy, context: &Context, stated: StatedHousehold) -> Result<New, Error> {
        let draft = stated.whole(context.today())?;
        policy.check_date("registered_on", draft.registered_on, context)?;
        New::prepare(&policy.keys, context, draft)
    }
}

/// What a row is, before new households are stored.
enum Sorted {
    /// It states what is kept.
    Unchanged,
    /// A new household, and the numbers of the data-quality rules that warn of it.
    New(HouseholdId, Vec<i32>),
}

impl HouseholdImport {
    /// An import, or a dry run.
    #[must_use]
    pub fn new(dry_run: bool) -> Self {
        Self { promised: dry_run.then(HashSet::new), compares: true }
    }

    /// The same for a caller who may not read households: nothing is compared.
    #[must_use]
    pub fn of_blind(dry_run: bool) -> Self {
        Self { compares: false, ..Self::new(dry_run) }
    }

    /// Compares a row with the household that it is about, or else collects it to be stored.
    fn sort(
        &mut self,
        row: Result<NewHousehold, Error>,
        villages: &KnownRegions,
        known: &mut Known,
        new: &mut Vec<Sealed>,
    ) -> Result<Sorted, Error> {
        let row = row?;
        if known.compare(&row.stated)? {
            return Ok(Sorted::Unchanged);
        }
        let New { mut sealed, warnings } = row.new?;
        villages.open_on(sealed.household.region, sealed.household.registered_on)?;
        if let Some(promised) = &mut self.promised {
            promise(promised, &mut sealed.household)?;
        }
        let id = sealed.household.id;
        new.push(sealed);
        Ok(Sorted::New(id, warnings))
    }
}

/// The area in which a household number is unique.
fn county_of(region: RegionCode) -> RegionCode {
    region.at(Level::County).unwrap_or(region)
}

/// Assigns a number in a dry run. Its answer must not depend on numbers of households that the caller does not see, so
/// Postgres is not asked to keep numbers unique.
fn promise(promised: &mut HashSet<(RegionCode, Box<str>)>, household: &mut Household) -> Result<(), Error> {
    let Some(number) = household.household_number.take() else { return Ok(()) };
    if promised.insert((county_of(household.region), number.into())) {
        Ok(())
    } else {
        Err(HouseholdRefused::new("household_number", Why::NumberPromised).into())
    }
}

/// The households that some rows are about, as far as the caller sees them.
#[derive(Default)]
struct Known {
    by_number: Numbered,
    households: HashMap<HouseholdId, Household>,
    /// Those that a row of the message was compared with: one answer about each is enough.
    compared: HashSet<HouseholdId>,
}

impl Known {
    async fn load(conn: &mut PgConnection, keys: &Keys, rows: &[Result<NewHousehold, Error>]) -> Result<Self, Error> {
        let stated = || rows.iter().flatten().map(|row| &row.stated);
        let numbers: Vec<String> = stated().filter_map(|row| row.statement.household_number.clone()).collect();
        let by_number = match numbers.as_slice() {
            [] => Numbered::default(),
            numbers => observations::households_of_numbers(conn, numbers).await?,
        };
        let ids: HashSet<HouseholdId> = stated().filter_map(|row| named(row, &by_number)).collect();
        let households = households::find_many(conn, keys, &ids.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self { by_number, households, compared: HashSet::new() })
    }

    /// Whether a row is about a household that is kept, and says the same of it.
    fn compare(&mut self, row: &StatedHousehold) -> Result<bool, Error> {
        let kept = named(row, &self.by_number).and_then(|id| self.households.get(&id));
        let Some(kept) = kept else { return Ok(false) };
        if !self.compared.insert(kept.id) {
            return Err(Error::RowTwice(None));
        }
        if let Some(other) = kept.merged_into {
            return Err(Refused::HouseholdMerged(other).into());
        }
        row.check_alike(kept)?;
        Ok(true)
    }
}

/// The household that a row names: by its identifier, or by its number within the county.
fn named(row: &StatedHousehold, by_number: &Numbered) -> Option<HouseholdId> {
    let of_number = || by_number.in_county(row.statement.household_number.as_deref()?, county_of(row.region));
    row.id.or_else(of_number)
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
        policy: &Policy,
        import: ImportId,
        rows: Vec<Result<NewHousehold, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        let villages = register::known(conn, rows.iter().flatten().map(|row| row.stated.region)).await?;
        let mut known = if self.compares { Known::load(conn, &policy.keys, &rows).await? } else { Known::default() };
        let has_number = |row: &NewHousehold| row.stated.statement.household_number.is_some();
        let asks_for_numbers = self.promised.is_none() && rows.iter().flatten().any(has_number);
        if asks_for_numbers || !known.households.is_empty() {
            // The answer reveals whether a number is taken elsewhere, and what is kept of a household behind its masks,
            // so it counts against the limit of look-ups.
            limit::require(conn, context, Limited::LookUp).await?;
        }
        let mut new = Vec::with_capacity(rows.len());
        let sorted: Vec<_> = rows.into_iter().map(|row| self.sort(row, &villages, &mut known, &mut new)).collect();
        let Kept { taken, twice } = keep(conn, context, Some(import), &new).await?;

        let outcome = |sorted: Result<Sorted, Error>| match sorted? {
            Sorted::Unchanged => Ok(Accepted::unchanged()),
            Sorted::New(id, _) if taken.contains(&id) => {
                Err(HouseholdRefused::new("household_number", Why::NumberTaken).into())
            }
            Sorted::New(id, warnings) => Ok(Accepted::with(with_twice(warnings, twice.contains(&id)))),
        };
        Ok(sorted.into_iter().map(outcome).collect())
    }
}
