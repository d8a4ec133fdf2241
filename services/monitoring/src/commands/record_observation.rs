//! Records an observation, and screens the household anew.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, screen_households::record_hits};
use crate::{
    domain::{
        HouseholdId,
        observation::{Observation, ObservationDraft},
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
    /// A verdict for each rule that hits.
    pub verdicts: Vec<Verdict>,
}

impl Command for RecordObservation {
    type Policy = Policy;
    type Output = Screened;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Screened, Error> {
        let Self { household, stated } = self;
        stated.check()?;
        policy.check_date("observation.window_ends_on", stated.window_ends_on, context)?;
        let id = match household {
            HouseholdRef::Id(id) => id,
            HouseholdRef::Number(number) => observations::household_of_number(conn, &number).await?,
        };
        let head = households::lock_head(conn, id).await?.unmerged()?;
        let window = (id, stated.window_ends_on);
        let earlier = observations::find_many(conn, &[window]).await?.remove(&window);
        let persons = profiles::persons(conn, id).await?;
        let observation = Observation::recorded(earlier.as_ref(), stated, persons);
        let recorded = observations::save(conn, context, (id, head.region, observation)).await?;
        profiles::refresh_newest(conn, &[id]).await?;
        let verdicts = screen(conn, context, &head).await?;
        Ok(Screened { recorded, verdicts })
    }
}

/// Screens one household, which is locked, by the rules that hold for it.
async fn screen(conn: &mut PgConnection, context: &Context, head: &Head) -> Result<Vec<Verdict>, Error> {
    let profile = profiles::find(conn, head.id).await?;
    let rule_set = rule_sets::in_force(conn, head.region, context.today()).await?;
    let (Some(profile), Some(rule_set)) = (profile, rule_set) else { return Ok(Vec::new()) };
    let candidate = Candidate { household: head.id, region: head.region, profile };
    let mut hits = Vec::new();
    Tally::default().screen(&candidate, &rule_set, |hit| hits.push(hit));
    let regions = vec![head.region; hits.len()];
    // What somebody states anew is looked at anew, unless the signal of the same facts is still open.
    let known = verdicts::known(conn, &hits, true).await?;
    let found = record_hits(conn, context, hits, &regions, &known).await?;
    verdicts::find_many(conn, &found.verdicts).await
}
