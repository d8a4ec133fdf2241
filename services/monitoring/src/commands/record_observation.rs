//! Records an observation, and screens the household again.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    request::{Command, Context},
};

use super::{
    Policy,
    record_hits::{known_of, screen_anew},
};
use crate::{
    domain::{
        HouseholdId,
        observation::{Observation, ObservationDraft, a_year_before, is_current},
        profile::{Circumstances, Newest},
        quality::{self, Dossier, Person},
        rule_set::RuleSet,
        verdict::Verdict,
    },
    error::{Error, Refused},
    store::{
        dossiers, households,
        observations::{self, Recorded},
        profiles, rule_sets, verdicts,
    },
};

/// A reference to a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HouseholdRef {
    /// By its identifier.
    Id(HouseholdId),
    /// By its household number, in a region if one is given.
    Number(String, Option<RegionCode>),
}

/// Records an observation, or corrects that of the same window.
pub struct RecordObservation {
    pub household: HouseholdRef,
    pub stated: ObservationDraft,
}

/// A recorded observation, and the results of the rules.
pub struct Screened {
    pub recorded: Recorded,
    /// A verdict for each screening rule that hits.
    pub verdicts: Vec<Verdict>,
    /// Numbers of the data-quality rules that warn of it.
    pub warnings: Vec<i32>,
}

impl RecordObservation {
    /// Checks everything that needs no database.
    pub fn check(&self, context: &Context, policy: &Policy) -> Result<(), Error> {
        self.stated.check()?;
        policy.check_date("window_ends_on", self.stated.window_ends_on, context)
    }
}

impl Command for RecordObservation {
    type Policy = Policy;
    type Output = Screened;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Screened, Error> {
        self.check(context, policy)?;
        let Self { household, stated } = self;
        let id = match household {
            HouseholdRef::Id(id) => id,
            HouseholdRef::Number(number, within) => {
                let found = observations::households_of_numbers(conn, std::slice::from_ref(&number)).await?;
                found.one(&number, within)?
            }
        };
        let head = households::lock_head(conn, id).await?.unmerged()?;
        profiles::count_elderly(conn, &[id], context.today()).await?;
        let known_of_it =
            profiles::circumstances(conn, &[id]).await?.remove(&id).ok_or(Refused::HouseholdNotFound(id))?;
        let window = (id, stated.window_ends_on);
        let a_year_before = (id, a_year_before(stated.window_ends_on));
        let mut recorded = observations::find_many(conn, &[window, a_year_before]).await?;
        let earlier = recorded.remove(&window);
        let members = dossiers::people(conn, &[id]).await?.remove(&id).unwrap_or_default();
        let entered = Entry { known: known_of_it, members: &members, previous: recorded.get(&a_year_before) };
        let says_anew = earlier.as_ref().is_none_or(|earlier| earlier.stated != stated);
        let observation = Observation::recorded(earlier.as_ref(), stated, known_of_it.composition.persons);
        let rule_set = rule_sets::in_force(conn, head.region, context.today()).await?;
        let warnings = entered.doubt(&observation, rule_set.as_ref(), context)?;
        let recorded = observations::save(conn, context, (id, head.region, observation)).await?;
        profiles::refresh_newest(conn, &[id]).await?;
        // A window that is not the newest, or ended long ago, says nothing about current risks.
        let mut candidates = profiles::find(conn, &[id]).await?;
        let is_asked = |newest: NaiveDate| newest == window.1 && is_current(newest, context.today());
        candidates.retain(|candidate| is_asked(candidate.profile.newest.window_ends_on));
        let found = if says_anew {
            screen_anew(conn, context, &candidates, |_| rule_set.as_ref()).await?
        } else {
            known_of(conn, &candidates, |_| rule_set.as_ref()).await?
        };
        let verdicts = verdicts::find_many(conn, &found.verdicts).await?;
        Ok(Screened { recorded, verdicts, warnings })
    }
}

/// The shared of an observation at entry.
pub(super) struct Entry<'a> {
    pub known: Circumstances,
    pub members: &'a [Person],
    /// The observation of the window a year before.
    pub previous: Option<&'a Observation>,
}

impl Entry<'_> {
    /// Numbers of the data-quality rules that warn of an observation. Fails if a rule refuses it.
    pub fn doubt(
        self,
        observation: &Observation,
        rule_set: Option<&RuleSet>,
        context: &Context,
    ) -> Result<Vec<i32>, Error> {
        let previous = self.previous.map(Observation::per_capita_net_income);
        let profile = self.known.observed(Newest::of(observation, previous));
        let line = rule_set.and_then(|rule_set| rule_set.line_of(&profile.newest));
        let of_profile = Dossier::of_profile(&profile, line, context.today());
        Ok(quality::of_observation(&Dossier { members: self.members.to_vec(), ..of_profile }).accept()?)
    }
}
