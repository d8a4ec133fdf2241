//! Records an observation, and screens the household anew.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, screen_households::record_hits};
use crate::{
    domain::{
        HouseholdId,
        observation::{Observation, ObservationDraft},
        profile::{Newest, Standing},
        quality::{self, Dossier},
        rule_set::RuleSet,
        screening::{Candidate, Tally},
        verdict::Verdict,
    },
    error::Error,
    store::{
        households::{self, Head},
        observations::{self, Recorded},
        profiles, rule_sets, verdicts,
    },
};

/// How a household is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HouseholdRef {
    /// By its identifier.
    Id(HouseholdId),
    /// By its national number.
    Number(String),
}

/// Records an observation, or corrects the one of the same window.
pub struct RecordObservation {
    /// Of whom.
    pub household: HouseholdRef,
    /// What is stated.
    pub stated: ObservationDraft,
}

/// What was recorded, and what the rules say of it.
pub struct Screened {
    /// The observation.
    pub recorded: Recorded,
    /// A verdict for each screening rule that hits.
    pub verdicts: Vec<Verdict>,
    /// Numbers of the data-quality rules that warn of it.
    pub warnings: Vec<i32>,
}

impl RecordObservation {
    /// Makes sure of all that can be known without the database.
    pub fn check(&self, context: &Context, policy: &Policy) -> Result<(), Error> {
        self.stated.check()?;
        policy.check_date("observation.window_ends_on", self.stated.window_ends_on, context)
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
            HouseholdRef::Number(number) => {
                let found = observations::households_of_numbers(conn, std::slice::from_ref(&number)).await?;
                found.get(&number).copied().ok_or(Error::HouseholdNumberNotFound)?
            }
        };
        let head = households::lock_head(conn, id).await?.unmerged()?;
        let standing = profiles::standings(conn, &[id]).await?.remove(&id).ok_or(Error::HouseholdNotFound(id))?;
        let window = (id, stated.window_ends_on);
        let earlier = observations::find_many(conn, &[window]).await?.remove(&window);
        let observation = Observation::recorded(earlier.as_ref(), stated, standing.composition.persons);
        let rule_set = rule_sets::in_force(conn, head.region, context.today()).await?;
        let warnings = doubt(standing, &observation, rule_set.as_ref(), context)?;
        let recorded = observations::save(conn, context, (id, head.region, observation)).await?;
        profiles::refresh_newest(conn, &[id]).await?;
        let verdicts = match rule_set {
            Some(rule_set) => screen(conn, context, &head, &rule_set).await?,
            None => Vec::new(),
        };
        Ok(Screened { recorded, verdicts, warnings })
    }
}

/// The data-quality rules that warn of an observation. Fails on one that refuses it.
pub(super) fn doubt(
    standing: Standing,
    observation: &Observation,
    rule_set: Option<&RuleSet>,
    context: &Context,
) -> Result<Vec<i32>, Error> {
    let profile = standing.observed(Newest::of(observation, None));
    let line = rule_set.and_then(|rule_set| rule_set.line_of(&profile.newest));
    Ok(quality::at_entry(&Dossier::of_profile(&profile, line, context.today())).accept()?)
}

/// Screens one household, which is locked.
async fn screen(
    conn: &mut PgConnection,
    context: &Context,
    head: &Head,
    rule_set: &RuleSet,
) -> Result<Vec<Verdict>, Error> {
    let Some(profile) = profiles::find(conn, head.id).await? else { return Ok(Vec::new()) };
    let candidate = Candidate { household: head.id, region: head.region, profile };
    let mut hits = Vec::new();
    Tally::default().screen(&candidate, rule_set, |hit| hits.push(hit));
    let regions = vec![head.region; hits.len()];
    // What somebody states anew is looked at anew, unless the signal of the same facts is still open.
    let known = verdicts::known(conn, &hits, true).await?;
    let found = record_hits(conn, context, hits, &regions, &known).await?;
    verdicts::find_many(conn, &found.verdicts).await
}
