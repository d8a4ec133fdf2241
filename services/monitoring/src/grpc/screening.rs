//! Screenings and simulations: what is found comes in parts, progress goes back.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_platform::{access::Caller, db::Scope};
use tongxin_proto::monitoring::v1::{
    ScreenHouseholdsRequest, ScreenHouseholdsResponse, ScreeningCount, SimulateRuleSetRequest, SimulateRuleSetResponse,
};
use tonic::{Request, Status};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Door, convert, convert::Simulated};
use crate::{
    commands::{self, Part, RecordHits, Sweep},
    domain::{
        RuleSetId,
        rule_set::{RuleSet, RuleSetDraft},
        screening::{Hit, Tally},
    },
    error::Error,
    store::regions,
};

/// Progress, then the result.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Answers that wait for the caller; progress beyond them is left out.
const ANSWERS_WAITING: usize = 16;

/// Hits that are written in one transaction.
const HITS_WRITTEN: usize = 1_000;

/// Finds what the rules in force say of a region, and makes hits signals.
pub(super) async fn screen(
    door: Door,
    request: Request<ScreenHouseholdsRequest>,
) -> Result<Answers<ScreenHouseholdsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let sweep = door.sweep(&request, &request.get_ref().region_code).await?;
    let parts = commands::sweep(sweep).await?;
    let (answers, stream) = mpsc::channel(ANSWERS_WAITING);
    let screening = Screening { door, caller, tally: Tally::default(), signals: 0, waiting: Vec::new() };
    let work = async move {
        let last = screening.run(parts, &answers).await;
        // A caller who has gone needs no answer.
        let _ = answers.send(last.map_err(Status::from)).await;
    };
    tokio::spawn(work.in_current_span());
    Ok(Box::pin(ReceiverStream::new(stream)))
}

struct Screening {
    door: Door,
    caller: Caller,
    tally: Tally,
    signals: i64,
    /// Hits that are not written yet.
    waiting: Vec<Hit>,
}

impl Screening {
    async fn run(
        mut self,
        mut parts: mpsc::Receiver<Result<Part, Error>>,
        answers: &mpsc::Sender<Result<ScreenHouseholdsResponse, Status>>,
    ) -> Result<ScreenHouseholdsResponse, Error> {
        while let Some(part) = parts.recv().await {
            let part = part?;
            self.tally.add(&part.tally);
            self.waiting.extend(part.hits);
            while self.waiting.len() >= HITS_WRITTEN {
                let later = self.waiting.split_off(HITS_WRITTEN);
                self.write(later).await?;
            }
            let _ = answers.try_send(Ok(self.answer(false)));
        }
        self.write(Vec::new()).await?;
        Ok(self.answer(true))
    }

    /// Writes the hits that wait, and lets others wait.
    async fn write(&mut self, later: Vec<Hit>) -> Result<(), Error> {
        let hits = std::mem::replace(&mut self.waiting, later);
        if hits.is_empty() {
            return Ok(());
        }
        // What makes a repetition harmless is that it finds nothing new.
        let written = self.door.writer.execute_each_time(&self.caller, RecordHits(hits)).await?;
        self.signals += written.signals;
        Ok(())
    }

    fn answer(&self, done: bool) -> ScreenHouseholdsResponse {
        let count = ScreeningCount { signals: self.signals, ..(&self.tally).into() };
        ScreenHouseholdsResponse { count: Some(count), done }
    }
}

/// Says whom a rule set would flag that is not stored.
pub(super) async fn simulate(
    door: &Door,
    request: Request<SimulateRuleSetRequest>,
) -> Result<Answers<SimulateRuleSetResponse>, Status> {
    let sweep = door.sweep(&request, &request.get_ref().region_code).await?;
    let request = request.into_inner();
    let draft = RuleSetDraft::try_from(request.rule_set.unwrap_or_default())?;
    let rule_set = RuleSet::compile(RuleSetId(Uuid::nil()), draft, door.clock.now()).map_err(Error::from)?;
    let wanted = usize::try_from(request.examples).unwrap_or(0);
    let day = sweep.day;
    let parts = commands::simulate(sweep, rule_set, wanted).await?;
    let (answers, stream) = mpsc::channel(ANSWERS_WAITING);
    let work = async move {
        let last = follow(parts, &answers).await.map(|simulated| simulated.result(day));
        let _ = answers.send(last.map_err(Status::from)).await;
    };
    tokio::spawn(work.in_current_span());
    Ok(Box::pin(ReceiverStream::new(stream)))
}

/// Adds up what is found. A caller who goes away ends the simulation.
async fn follow(
    mut parts: mpsc::Receiver<Result<Part, Error>>,
    answers: &mpsc::Sender<Result<SimulateRuleSetResponse, Status>>,
) -> Result<Simulated, Error> {
    let mut simulated = Simulated::default();
    while let Some(part) = parts.recv().await {
        simulated.add(part?);
        let _ = answers.try_send(Ok(simulated.progress()));
        if answers.is_closed() {
            break;
        }
    }
    Ok(simulated)
}

impl Door {
    /// What is to be screened, for a caller who sees the region.
    async fn sweep<M>(&self, request: &Request<M>, region: &str) -> Result<Sweep, Status> {
        let caller = Caller::of(request)?;
        let region = convert::region("region_code", region)?;
        let mut tx = self.read(request).await?;
        regions::find_name(&mut tx, region).await?;
        tx.rollback().await.map_err(Error::from)?;
        Ok(Sweep { pool: self.pool.clone(), scope: Scope::region(caller.region()), region, day: self.clock.today() })
    }
}
