//! Checks by data-quality rules, with progress after each part.

use tongxin_platform::{
    grpc::{Answering, Answers, answers},
    region::{RegionCode, RegionRange},
};
use tongxin_proto::monitoring::v1::CheckHouseholdsResponse;

use super::Door;
use crate::{commands::Check, error::Error};

/// Checks a region that the caller sees. When the caller goes away, the check ends after the current part.
pub(super) fn answer(door: &Door, region: RegionCode, sees: RegionRange) -> Answers<CheckHouseholdsResponse> {
    let check = Check::new(door.pool.clone(), region, door.clock.today(), sees);
    answers(move |answering| run(check, answering))
}

async fn run(mut check: Check, answering: Answering<CheckHouseholdsResponse>) -> Result<(), Error> {
    let mut answer = CheckHouseholdsResponse::default();
    while !answer.done {
        match check.next().await? {
            Some(checked) => {
                answer.households += i64::try_from(checked.households).unwrap_or(i64::MAX);
                answer.defects += i64::try_from(checked.defects).unwrap_or(i64::MAX);
            }
            None => answer.done = true,
        }
        if !answering.send(answer).await {
            break;
        }
    }
    Ok(())
}
