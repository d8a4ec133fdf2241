//! Repeated responses: they are stored without personal fields, which are read again.

use sqlx::PgConnection;
use tongxin_platform::{
    plain_answers,
    request::{Answer, Personal as _},
};
use tongxin_proto::monitoring::v1;

use super::convert;
use crate::{
    commands::Policy,
    domain::{case_file::CaseFile, income::VillageIncome, merge::Merge, rule_set::RuleSet, signal::Signal},
    error::{Error, Refused},
    store::{households, keys::Keys},
};

plain_answers!(
    Policy, Error:
    v1::UndoMergeResponse { merge: Merge },
    v1::RecordObservationResponse,
    v1::StoreRuleSetResponse { rule_set: RuleSet },
    v1::SetHolidaysResponse,
    v1::ReportSignalResponse,
    v1::DecideSignalResponse { signal: Signal },
    v1::SubmitWarningsResponse,
    v1::OpenCaseResponse,
    v1::RecordStepResponse,
    v1::ProposeRemovalResponse { case: CaseFile },
    v1::RollBackRemovalResponse { case: CaseFile },
    v1::PlanMeasureResponse,
    v1::FinishMeasureResponse,
    v1::BatchCaseCommandsResponse,
    v1::RecordVillageIncomeResponse { income: VillageIncome },
);

macro_rules! with_household {
    ($($answer:ident),+ $(,)?) => {$(
        impl Answer<Policy> for v1::$answer {
            type Error = Error;

            async fn refill(&mut self, conn: &mut PgConnection, policy: &Policy) -> Result<(), Error> {
                match &mut self.household {
                    Some(household) => refill(household, conn, &policy.keys).await,
                    None => Ok(()),
                }
            }
        }
    )+};
}

with_household!(
    RegisterHouseholdResponse,
    ChangeHouseholdResponse,
    SetMemberResponse,
    RemoveMemberResponse,
    MoveHouseholdResponse,
    MergeHouseholdsResponse,
);

/// Adds the current masked data of the household and its members. A member who no longer exists, or is outside the caller's region, stays
/// without.
async fn refill(kept: &mut v1::Household, conn: &mut PgConnection, keys: &Keys) -> Result<(), Error> {
    let id = convert::household_id("household_id", &kept.household_id)?;
    let mut now = match households::find(conn, keys, id).await {
        Ok(found) => v1::Household::from(found),
        Err(Error::Refused(Refused::HouseholdNotFound(_))) => return Ok(()),
        Err(error) => return Err(error),
    };
    let members = std::mem::take(&mut now.members);
    kept.adopt(now);
    for member in members {
        if let Some(kept) = kept.members.iter_mut().find(|kept| kept.member_id == member.member_id) {
            kept.adopt(member);
        }
    }
    Ok(())
}
