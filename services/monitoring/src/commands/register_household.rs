//! Registers a household.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use tongxin_platform::{
    import::ImportId,
    region::{Level, RegionCode},
    register,
    request::{Command, Context},
};

use super::{
    Policy,
    household_numbers::may_ask_for_number,
    restate_household::{Entered, with_twice},
};
use crate::{
    domain::{
        HouseholdId, MemberId,
        household::{HouseholdDraft, HouseholdRefused, Why},
        quality::{self, Dossier},
    },
    error::{Error, Refused},
    store::{
        dossiers, households,
        keys::{Hash, Keys},
        match_queue,
        profiles::{self, NewProfile},
        sealed::Sealed,
    },
};

/// Registers one household.
pub struct RegisterHousehold(pub HouseholdDraft);

impl Command for RegisterHousehold {
    type Policy = Policy;
    type Output = Entered;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Entered, Error> {
        policy.check_date("registered_on", self.0.registered_on, context)?;
        let New { sealed, warnings } = New::prepare(&policy.keys, context, self.0)?;
        let (region, registered_on) = (sealed.household.region, sealed.household.registered_on);
        may_ask_for_number(conn, context, sealed.household.household_number.as_deref()).await?;
        register::find(conn, region).await?.open_on(registered_on)?;
        let new = [sealed];
        let Kept { taken, twice } = keep(conn, context, None, &new).await?;
        if !taken.is_empty() {
            return Err(HouseholdRefused::new("household_number", Why::NumberTaken).into());
        }
        let [Sealed { household, .. }] = new;
        let warnings = with_twice(warnings, twice.contains(&household.id));
        Ok(Entered { household, warnings })
    }
}

/// A household ready to be registered: everything that needs no database has been checked and sealed.
pub struct New {
    pub sealed: Sealed,
    /// Numbers of the data-quality rules that warn of it.
    pub warnings: Vec<i32>,
}

impl New {
    /// Checks and seals a draft.
    pub fn prepare(keys: &Keys, context: &Context, draft: HouseholdDraft) -> Result<Self, Error> {
        check_level(draft.region)?;
        let today = context.today();
        let new_member = || MemberId(context.new_id());
        let household = draft.register(HouseholdId(context.new_id()), new_member, (context.now, today))?;
        let warnings = quality::at_entry(&Dossier::of_household(&household, today)).accept()?;
        Ok(Self { sealed: Sealed::new(keys, household)?, warnings })
    }
}

/// Checks that a region is a village or community, where households live.
pub(super) fn check_level(region: RegionCode) -> Result<(), Error> {
    if region.level() == Level::Village { Ok(()) } else { Err(Refused::RegionLevelWrong(region.to_string()).into()) }
}

/// The outcome for new households.
#[derive(Default)]
pub(super) struct Kept {
    /// Those whose household number is taken. They were not stored.
    pub taken: HashSet<HouseholdId>,
    /// Those with a member who is registered in another household, too.
    pub twice: HashSet<HouseholdId>,
}

/// Stores new households with everything that depends on them.
pub(super) async fn keep(
    conn: &mut PgConnection,
    context: &Context,
    import: Option<ImportId>,
    new: &[Sealed],
) -> Result<Kept, Error> {
    if new.is_empty() {
        return Ok(Kept::default());
    }
    // Before they are added: everybody found now is registered elsewhere.
    let elsewhere = dossiers::registered_twice(conn, &new.iter().flat_map(found_by).collect::<Vec<_>>()).await?;
    let taken = households::add(conn, context, import, new).await?;
    let kept = || new.iter().filter(|sealed| !taken.contains(&sealed.household.id));
    let today = context.today();
    let profiles: Vec<_> = kept().map(|sealed| NewProfile::of(&sealed.household, today)).collect();
    profiles::set(conn, &profiles).await?;
    match_queue::add(conn, context, kept().flat_map(found_by).map(|(person, _)| person)).await?;
    let mut twice = in_several(kept().flat_map(found_by));
    twice.extend(kept().map(|sealed| sealed.household.id).filter(|id| elsewhere.contains_key(id)));
    Ok(Kept { taken, twice })
}

/// Blind indexes of the household's members.
fn found_by(sealed: &Sealed) -> impl Iterator<Item = (Hash, HouseholdId)> {
    sealed.members.iter().map(|member| (member.id_index, sealed.household.id))
}

/// Households that share a member with another.
fn in_several(people: impl Iterator<Item = (Hash, HouseholdId)>) -> HashSet<HouseholdId> {
    let mut homes: HashMap<Hash, HouseholdId> = HashMap::new();
    let mut several = HashSet::new();
    for (index, household) in people {
        if let Some(other) = homes.insert(index, household).filter(|other| *other != household) {
            several.extend([other, household]);
        }
    }
    several
}
