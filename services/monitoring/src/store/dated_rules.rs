//! The rules that bind many villages on many days, loaded at once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use super::{holidays, region, rule_sets};
use crate::{
    domain::{
        RuleSetId,
        case::CaseRules,
        rule_choice::{Extent, in_force},
    },
    error::Error,
};

/// A village, a day, and the rule set that counts where none is in force.
pub type Asked = (RegionCode, NaiveDate, Option<RuleSetId>);

/// The rules that bind some villages on some days.
#[derive(Debug)]
pub struct DatedRules {
    extents: Vec<Extent>,
    rules: HashMap<RuleSetId, CaseRules>,
}

impl DatedRules {
    /// The rules in force in a village on a day for which the book was loaded.
    #[must_use]
    pub fn in_force(&self, village: RegionCode, day: NaiveDate) -> Option<&CaseRules> {
        in_force(&self.extents, village, day).and_then(|id| self.rules.get(&id))
    }

    /// The rules in force, or those that a case was opened by where none are.
    #[must_use]
    pub fn of_case(&self, opened_by: RuleSetId, village: RegionCode, day: NaiveDate) -> Option<&CaseRules> {
        self.in_force(village, day).or_else(|| self.rules.get(&opened_by))
    }
}

/// Loads the rules for villages and days, and those that cases were opened by where none are in force.
pub async fn load(conn: &mut PgConnection, asked: &[Asked]) -> Result<DatedRules, Error> {
    let extents = extents(conn, asked.iter().map(|(village, ..)| *village)).await?;
    let chosen = asked.iter().filter_map(|(village, day, opened_by)| in_force(&extents, *village, *day).or(*opened_by));
    let chosen: BTreeSet<RuleSetId> = chosen.collect();
    let calendar = Arc::new(holidays::calendar(conn).await?);
    let mut rules = HashMap::new();
    for id in chosen {
        rules.insert(id, CaseRules::new(rule_sets::find(conn, id).await?, Arc::clone(&calendar)));
    }
    Ok(DatedRules { extents, rules })
}

/// The rules of one rule set.
pub async fn of_rule_set(conn: &mut PgConnection, id: RuleSetId) -> Result<CaseRules, Error> {
    let calendar = Arc::new(holidays::calendar(conn).await?);
    Ok(CaseRules::new(rule_sets::find(conn, id).await?, calendar))
}

/// Where and when the rule sets hold that can bind some villages.
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
