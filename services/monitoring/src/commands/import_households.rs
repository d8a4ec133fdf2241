//! Imports households. A row about one that is kept is compared with it.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, Effect, ImportId, Imported, Warning},
    limit::{self, Left, Limited},
    region::{Level, RegionCode, RegionRange},
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
        quality::field_of,
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
    /// A new household, by its place among the new ones, and the numbers of the data-quality rules that warn of it.
    New(usize, Vec<i32>, StatedHousehold),
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
        (villages, seen): (&KnownRegions, RegionRange),
        known: &mut Known,
        new: &mut Vec<Sealed>,
    ) -> Result<Sorted, Error> {
        let NewHousehold { stated, new: prepared } = row?;
        if known.compare(&stated)? {
            return Ok(Sorted::Unchanged);
        }
        let New { mut sealed, warnings } = prepared?;
        villages.open_on(sealed.household.region, sealed.household.registered_on)?;
        match &mut self.promised {
            Some(promised) => promise(promised, &mut sealed.household)?,
            // A number that is taken out of the caller's sight is revealed by the refusal.
            None if stated.statement.household_number.is_some() && !holds(seen, county_of(stated.region)) => {
                known.look_ups.require()?;
            }
            None => {}
        }
        new.push(sealed);
        Ok(Sorted::New(new.len() - 1, warnings, stated))
    }
}

/// Whether a range has all of a region.
fn holds(range: RegionRange, region: RegionCode) -> bool {
    range.and(region.range()) == region.range()
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
struct Known {
    by_number: Numbered,
    households: HashMap<HouseholdId, Household>,
    /// Those that a row of the message was compared with: one answer about each is enough.
    compared: HashSet<HouseholdId>,
    /// A row that differs reveals something of what is kept behind its masks.
    look_ups: Left,
}

impl Known {
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
        self.look_ups.require()?;
        row.check_alike(kept).inspect_err(|_| self.look_ups.spend())?;
        Ok(true)
    }
}

/// The households that rows name, by their numbers and by their identifiers.
async fn find(
    conn: &mut PgConnection,
    keys: &Keys,
    stated: impl Iterator<Item = &StatedHousehold> + Clone,
) -> Result<(Numbered, HashMap<HouseholdId, Household>), Error> {
    let numbers: Vec<String> = stated.clone().filter_map(|row| row.statement.household_number.clone()).collect();
    let by_number = match numbers.as_slice() {
        [] => Numbered::default(),
        numbers => observations::households_of_numbers(conn, numbers).await?,
    };
    let ids: HashSet<HouseholdId> = stated.filter_map(|row| named(row, &by_number)).collect();
    let households = households::find_many(conn, keys, &ids.into_iter().collect::<Vec<_>>()).await?;
    Ok((by_number, households))
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
        let stated = || rows.iter().flatten().map(|row| &row.stated);
        let villages = register::known(conn, stated().map(|row| row.region)).await?;
        let asked = stated().filter(|_| self.compares);
        let (by_number, households) = find(conn, &policy.keys, asked).await?;
        let is_looked_up = |row: &StatedHousehold| {
            row.statement.household_number.is_some() && !holds(context.regions, county_of(row.region))
        };
        if !households.is_empty() || stated().any(is_looked_up) {
            limit::lock(conn, context).await?;
        }
        let look_ups = limit::left(conn, context, Limited::LookUp).await?;
        let mut known = Known { by_number, households, compared: HashSet::new(), look_ups };
        let mut new = Vec::with_capacity(rows.len());
        let place = (&villages, context.regions);
        let sorted: Vec<_> = rows.into_iter().map(|row| self.sort(row, place, &mut known, &mut new)).collect();
        let Kept { taken, twice } = keep(conn, context, Some(import), &new).await?;

        if !taken.is_empty() {
            // Somebody else registered them since, perhaps with the same content.
            let is_taken = |place: usize| taken.contains(&new[place].household.id);
            let taken = sorted.iter().flatten().filter_map(|sorted| match sorted {
                Sorted::New(place, _, stated) if self.compares && is_taken(*place) => Some(stated),
                _ => None,
            });
            (known.by_number, known.households) = find(conn, &policy.keys, taken).await?;
        }

        let outcome = |sorted: Result<Sorted, Error>| match sorted? {
            Sorted::Unchanged => Ok(Accepted::unchanged()),
            Sorted::New(place, _, stated) if taken.contains(&new[place].household.id) => {
                if known.compare(&stated)? {
                    return Ok(Accepted::unchanged());
                }
                Err(HouseholdRefused::new("household_number", Why::NumberTaken).into())
            }
            Sorted::New(place, warnings, _) => {
                let household = &new[place].household;
                let rules = with_twice(warnings, twice.contains(&household.id)).into_iter();
                let rules = rules.map(|rule| Warning { rule, field: field_of(rule, household) });
                Ok(Accepted { warnings: rules.collect(), effect: Effect::New })
            }
        };
        Ok(sorted.into_iter().map(outcome).collect())
    }
}
