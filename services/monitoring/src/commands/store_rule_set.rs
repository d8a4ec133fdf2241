//! Stores a rule set.

use sqlx::PgConnection;
use tongxin_platform::{
    register,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::{
        RuleSetId,
        rule_set::{RuleSet, RuleSetDraft},
    },
    error::{Error, Refused},
    store::rule_sets,
};

/// Stores a rule set for a region of the caller.
pub struct StoreRuleSet(pub RuleSetDraft);

impl Command for StoreRuleSet {
    type Policy = Policy;
    type Output = RuleSet;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<RuleSet, Error> {
        let rule_set = RuleSet::compile(RuleSetId(context.new_id()), self.0, context.now)?;
        let region = rule_set.region;
        let today = context.today();
        let home = register::find(conn, region).await.map_err(Error::from);
        let is_open = home.and_then(|home| Ok(home.open_on(rule_set.effective_from)?));
        is_open.map_err(|error| error.at("rule_set.region_code"))?;
        rule_sets::lock(conn).await?;
        let newest = rule_sets::newest_in_force(conn, region, today).await?;
        if let Some(newest) = newest.filter(|newest| *newest > rule_set.effective_from) {
            return Err(Refused::RuleSetInUse(newest).into());
        }
        rule_sets::insert(conn, context, &rule_set).await?;
        Ok(rule_set)
    }
}
