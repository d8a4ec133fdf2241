//! Rules for many villages and days, loaded at once.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::{Level, RegionCode};

use super::{holidays, region, rule_sets};
use crate::{
    domain::{
        RuleSetId,
        case::CaseRules,
        rule_choice::{Extent, in_force},
        rule_set::RuleSet,
    },
    error::Error,
};

/// A village, a day, and the rule set to use if none is in force.
pub type Asked = (RegionCode, NaiveDate, Option<RuleSetId>);

/// The rules for some villages and days.
#[derive(Debug)]
pub struct DatedRules {
    extents: Vec<Extent>,
    /// By rule set, and by the province whose calendar applies.
    rules: HashMap<(RuleSetId, RegionCode), CaseRules>,
}

impl DatedRules {
    /// The rules in force in a village on a day for which they were loaded.
    #[must_use]
    pub fn in_force(&self, village: RegionCode, day: NaiveDate) -> Option<&CaseRules> {
        in_force(&self.extents, village, day).and_then(|id| self.rules.get(&(id, province(village))))
    }

    /// The rules in force, else those that the case was opened by.
    #[must_use]
    pub fn of_case(&self, opened_by: RuleSetId, village: RegionCode, day: NaiveDate) -> Option<&CaseRules> {
        self.in_force(village, day).or_else(|| self.rules.get(&(opened_by, province(village))))
    }
}

/// Loads the rules for villages and days, falling back to those that cases were opened by.
pub async fn load(conn: &mut PgConnection, asked: &[Asked]) -> Result<DatedRules, Error> {
    let extents = extents(conn, asked.iter().map(|(village, ..)| *village)).await?;
    let chosen = asked.iter().filter_map(|(village, day, opened_by)| {
        let id = in_force(&extents, *village, *day).or(*opened_by)?;
        Some((id, province(*village)))
    });
    let chosen: BTreeSet<(RuleSetId, RegionCode)> = chosen.collect();
    let calendars = holidays::calendars(conn, chosen.iter().map(|(_, province)| *province)).await?;
    let mut sets: HashMap<RuleSetId, RuleSet> = HashMap::new();
    let mut rules = HashMap::new();
    for (id, province) in chosen {
        if let Entry::Vacant(missing) = sets.entry(id) {
            missing.insert(rule_sets::find(conn, id).await?);
        }
        let (Some(set), Some(calendar)) = (sets.get(&id), calendars.get(&province)) else { continue };
        rules.insert((id, province), CaseRules::new(set.clone(), Arc::clone(calendar)));
    }
    Ok(DatedRules { extents, rules })
}

/// The rules of one rule set, with the calendar of a village.
pub async fn of_rule_set(conn: &mut PgConnection, id: RuleSetId, village: RegionCode) -> Result<CaseRules, Error> {
    let calendar = holidays::calendars(conn, [province(village)]).await?.remove(&province(village)).unwrap_or_default();
    Ok(CaseRules::new(rule_sets::find(conn, id).await?, calendar))
}

/// The province of a region.
fn province(region: RegionCode) -> RegionCode {
    region.at(Level::Province).unwrap_or(region)
}

/// Region and period of the rule sets that may apply to some villages.
async fn extents(conn: &mut PgConnection, villages: impl Iterator<Item = RegionCode>) -> Result<Vec<Extent>, Error> {
    let above: BTreeSet<i64> = villages.flat_map(RegionCode::with_ancestors).map(RegionCode::number).collect();
    let above: Vec<i64> = above.into_iter().collect();
    let rows = sqlx::query!(
        r#"
        SELECT rule_set_id, region_code, effective_from, effective_until, record_time
        FROM rule_set
        WHERE region_code = ANY($1)
        "#,
        &above,
    )
    .fetch_all(conn)
    .await?;
    let mut extents = Vec::new();
    for row in rows {
        extents.push(Extent {
            id: RuleSetId(row.rule_set_id),
            region: region(row.region_code)?,
            from: row.effective_from,
            until: row.effective_until,
            record_time: row.record_time,
        });
    }
    Ok(extents)
}
