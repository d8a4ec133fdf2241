//! Households as they were on given days, from the observations until then and today's members.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{observations, profiles};
use crate::{
    domain::{HouseholdId, case::HouseholdAsOf, observation::a_year_before, profile::Newest},
    error::Error,
};

/// A household and a day.
pub type Asked = (HouseholdId, NaiveDate);

/// Windows of a household and the per-capita net income in each, in fen.
type Incomes = Vec<(NaiveDate, i64)>;

/// Loads standings: members, the newest observation whose window had ended by the day, and the incomes of all windows.
/// Households that are not visible are missing.
pub async fn find(conn: &mut PgConnection, asked: &BTreeSet<Asked>) -> Result<HashMap<Asked, HouseholdAsOf>, Error> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let households: BTreeSet<HouseholdId> = asked.iter().map(|(household, _)| *household).collect();
    let households: Vec<HouseholdId> = households.into_iter().collect();
    let incomes = incomes(conn, &households).await?;
    let newest: HashMap<Asked, NaiveDate> =
        asked.iter().filter_map(|asked| Some((*asked, newest_by(incomes.get(&asked.0)?, asked.1)?))).collect();
    let windows: BTreeSet<Asked> = newest.iter().map(|((household, _), window)| (*household, *window)).collect();
    let observations = observations::find_many(conn, &windows.into_iter().collect::<Vec<_>>()).await?;
    let circumstances = profiles::circumstances(conn, &households).await?;

    let mut standings = HashMap::new();
    for asked in asked {
        let Some(known) = circumstances.get(&asked.0) else { continue };
        let incomes = incomes.get(&asked.0).cloned().unwrap_or_default();
        let observation = newest.get(asked).and_then(|window| observations.get(&(asked.0, *window)));
        let profile = observation.map(|observation| {
            let before = a_year_before(observation.stated.window_ends_on);
            let previous = incomes.iter().find(|(window, _)| *window == before).map(|(_, income)| *income);
            known.observed(Newest::of(observation, previous))
        });
        standings.insert(*asked, HouseholdAsOf { known: *known, profile, incomes });
    }
    Ok(standings)
}

/// The newest window that had ended by a day.
fn newest_by(incomes: &Incomes, day: NaiveDate) -> Option<NaiveDate> {
    incomes.iter().map(|(window, _)| *window).filter(|window| *window <= day).max()
}

async fn incomes(conn: &mut PgConnection, households: &[HouseholdId]) -> Result<HashMap<HouseholdId, Incomes>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        "SELECT household_id, window_ends_on, per_capita_net_income FROM observation WHERE household_id = ANY($1)",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut incomes: HashMap<HouseholdId, Incomes> = HashMap::new();
    for row in rows {
        let known = incomes.entry(HouseholdId(row.household_id)).or_default();
        known.push((row.window_ends_on, row.per_capita_net_income));
    }
    Ok(incomes)
}
