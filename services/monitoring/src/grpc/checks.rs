//! Checks by data-quality rules: progress goes back after each part.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_platform::region::{RegionCode, RegionRange};
use tongxin_proto::monitoring::v1::CheckHouseholdsResponse;
use tonic::Status;
use tracing::Instrument as _;

use super::Door;
use crate::{commands::Check, error::Error};

/// Progress, then the result.
pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<CheckHouseholdsResponse, Status>> + Send>>;

/// Answers that wait for the caller before the check does.
const ANSWERS_WAITING: usize = 16;

/// Checks a region that the caller sees. A caller who goes away ends the check after the part that is under way.
pub(super) fn answer(door: &Door, region: RegionCode, sees: RegionRange) -> Answers {
    let check = Check::new(door.pool.clone(), region, door.clock.today(), sees);
    let (answers, stream) = mpsc::channel(ANSWERS_WAITING);
    let work = async move {
        if let Err(error) = run(check, &answers).await {
            // A caller who has gone needs no answer.
            let _ = answers.send(Err(error.into())).await;
        }
    };
    tokio::spawn(work.in_current_span());
    Box::pin(ReceiverStream::new(stream))
}

async fn run(mut check: Check, answers: &mpsc::Sender<Result<CheckHouseholdsResponse, Status>>) -> Result<(), Error> {
    let mut answer = CheckHouseholdsResponse::default();
    while !answer.done {
        match check.next().await? {
            Some(checked) => {
                answer.households += i64::try_from(checked.households).unwrap_or(i64::MAX);
                answer.defects += i64::try_from(checked.defects).unwrap_or(i64::MAX);
            }
            None => answer.done = true,
        }
        if answers.send(Ok(answer)).await.is_err() {
            break;
        }
    }
    Ok(())
}
