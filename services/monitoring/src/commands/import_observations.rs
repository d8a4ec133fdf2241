//! Imports observations.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    import::{Accepted, Effect, ImportId, Imported},
    region::RegionCode,
    request::Context,
};

use super::{HouseholdRef, Policy, RecordObservation, record_hits::screen_anew, record_observation::Entry};
use crate::{
    domain::{
        HouseholdId,
        observation::{Observation, ObservationDraft, a_year_before, is_current},
        profile::Circumstances,
        quality::Person,
        screening::RuleBook,
    },
    error::{Error, Refused},
    store::{
        dossiers,
        households::{self, Head},
        observations::{self, Numbered, OfHousehold},
        profiles, region, rule_sets,
    },
};

/// An import of observations.
#[derive(Debug, Default)]
pub struct ObservationImport;

/// An observation that is ready to be recorded.
pub struct NewObservation(RecordObservation);

impl NewObservation {
    /// Checks what is stated. Whether its day may be entered is asked only if something is to be written.
    ///
    /// # Errors
    /// If it contradicts itself.
    pub fn prepare(row: RecordObservation) -> Result<Self, Error> {
        row.stated.check()?;
        Ok(Self(row))
    }
}

impl Imported for ObservationImport {
    type Policy = Policy;
    type Refused = Refused;
    type Ready = NewObservation;

    fn kind(&self) -> &'static str {
        "observations"
    }

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &Policy,
        import: ImportId,
        rows: Vec<Result<NewObservation, Error>>,
    ) -> Result<Vec<Result<Accepted, Error>>, Error> {
        let known = Known::load(conn, context, &rows).await?;
        let recorded = known.load_recorded(conn, &rows).await?;
        let mut windows = Windows { recorded, changed: BTreeSet::new() };
        let outcomes = rows.into_iter().map(|row| windows.take(&known, (context, policy), row?.0)).collect();
        let says_anew = windows.changed.clone();
        let changed = windows.changed(&known);
        observations::save_imported(conn, context, import, &changed).await?;
        let households: BTreeSet<HouseholdId> = changed.iter().map(|(household, ..)| *household).collect();
        let households: Vec<HouseholdId> = households.into_iter().collect();
        profiles::refresh_newest(conn, &households).await?;
        known.screen(conn, context, &says_anew).await?;
        Ok(outcomes)
    }
}

/// Everything about the households of some rows. They are locked.
struct Known {
    by_number: Numbered,
    heads: HashMap<HouseholdId, Head>,
    circumstances: HashMap<HouseholdId, Circumstances>,
    people: HashMap<HouseholdId, Vec<Person>>,
    rules: RuleBook,
}

impl Known {
    async fn load(
        conn: &mut PgConnection,
        context: &Context,
        rows: &[Result<NewObservation, Error>],
    ) -> Result<Self, Error> {
        let numbers = rows.iter().flatten().filter_map(|row| match &row.0.household {
            HouseholdRef::Number(number, _) => Some(number.clone()),
            HouseholdRef::Id(_) => None,
        });
        let by_number = observations::households_of_numbers(conn, &numbers.collect::<Vec<_>>()).await?;
        let named = rows.iter().flatten().filter_map(|row| match &row.0.household {
            HouseholdRef::Id(id) => Some(*id),
            HouseholdRef::Number(number, within) => by_number.one(number, *within).ok(),
        });
        let households: Vec<HouseholdId> = named.collect::<BTreeSet<_>>().into_iter().collect();
        let heads = households::lock(conn, &households).await?;
        profiles::count_elderly(conn, &households, context.today()).await?;
        Ok(Self {
            heads,
            circumstances: profiles::circumstances(conn, &households).await?,
            people: dossiers::people(conn, &households).await?,
            rules: rule_sets::book(conn, region(context.regions.from)?, context.today()).await?,
            by_number,
        })
    }

    /// The stored observations of the rows' windows, and of those a year before.
    async fn load_recorded(
        &self,
        conn: &mut PgConnection,
        rows: &[Result<NewObservation, Error>],
    ) -> Result<BTreeMap<(HouseholdId, NaiveDate), Observation>, Error> {
        let window = |row: &NewObservation| Some((self.id(&row.0.household).ok()?, row.0.stated.window_ends_on));
        let windows = rows.iter().flatten().filter_map(window);
        let windows: BTreeSet<_> =
            windows.flat_map(|(id, ends_on)| [(id, ends_on), (id, a_year_before(ends_on))]).collect();
        observations::find_many(conn, &windows.into_iter().collect::<Vec<_>>()).await
    }

    fn id(&self, named: &HouseholdRef) -> Result<HouseholdId, Error> {
        match named {
            HouseholdRef::Id(id) => Ok(*id),
            HouseholdRef::Number(number, within) => self.by_number.one(number, *within),
        }
    }

    fn home(&self, id: HouseholdId) -> Result<(RegionCode, Circumstances), Error> {
        match (self.heads.get(&id), self.circumstances.get(&id)) {
            (Some(Head { merged_into: Some(kept), .. }), _) => Err(Refused::HouseholdMerged(*kept).into()),
            (Some(head), Some(known_of_it)) => Ok((head.region, *known_of_it)),
            (None, _) | (_, None) => Err(Refused::HouseholdNotFound(id).into()),
        }
    }

    /// Screens households whose newest window has changed. Windows that ended long ago are history and say nothing
    /// about current risks.
    async fn screen(
        &self,
        conn: &mut PgConnection,
        context: &Context,
        says_anew: &BTreeSet<(HouseholdId, NaiveDate)>,
    ) -> Result<(), Error> {
        let current = says_anew.iter().filter(|(_, window)| is_current(*window, context.today()));
        let households: BTreeSet<HouseholdId> = current.map(|(household, _)| *household).collect();
        let mut candidates = profiles::find(conn, &households.into_iter().collect::<Vec<_>>()).await?;
        candidates.retain(|one| says_anew.contains(&(one.household, one.profile.newest.window_ends_on)));
        screen_anew(conn, context, &candidates, |region| self.rules.of(region)).await?;
        Ok(())
    }
}

/// The windows of an import, as its rows change them one after the other: a later row corrects an earlier one.
struct Windows {
    recorded: BTreeMap<(HouseholdId, NaiveDate), Observation>,
    /// Those that were recorded anew.
    changed: BTreeSet<(HouseholdId, NaiveDate)>,
}

impl Windows {
    fn take(
        &mut self,
        known: &Known,
        (context, policy): (&Context, &Policy),
        row: RecordObservation,
    ) -> Result<Accepted, Error> {
        let RecordObservation { household, stated } = row;
        let id = known.id(&household)?;
        let (region, known_of_it) = known.home(id)?;
        let window = (id, stated.window_ends_on);
        let effect = match self.recorded.get(&window) {
            Some(kept) if kept.stated == stated => return Ok(Accepted::unchanged()),
            Some(_) => Effect::Corrected,
            None => Effect::New,
        };
        policy.check_date("window_ends_on", stated.window_ends_on, context)?;
        let observation = self.record(window, stated, known_of_it);
        let entry = Entry {
            known: known_of_it,
            members: known.people.get(&id).map(Vec::as_slice).unwrap_or_default(),
            previous: self.recorded.get(&(id, a_year_before(window.1))),
        };
        let warnings = entry.doubt(&observation, known.rules.of(region), context)?;
        self.recorded.insert(window, observation);
        self.changed.insert(window);
        Ok(Accepted { effect, ..Accepted::with(warnings) })
    }

    fn record(
        &self,
        window: (HouseholdId, NaiveDate),
        stated: ObservationDraft,
        known_of_it: Circumstances,
    ) -> Observation {
        Observation::recorded(self.recorded.get(&window), stated, known_of_it.composition.persons)
    }

    fn changed(mut self, known: &Known) -> Vec<OfHousehold> {
        let written = |window: (HouseholdId, NaiveDate)| {
            let region = known.heads.get(&window.0)?.region;
            Some((window.0, region, self.recorded.remove(&window)?))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(written).collect()
    }
}
