//! Sweeps and simulations, with progress after each part.

use tokio::sync::mpsc;
use tongxin_platform::{
    access::Caller,
    db::Scope,
    grpc::{Answering, Answers, answers},
    register,
};
use tongxin_proto::monitoring::v1::{
    ScreenHouseholdsRequest, ScreenHouseholdsResponse, ScreeningCount, SimulateRuleSetRequest, SimulateRuleSetResponse,
};
use tonic::{Request, Status};
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
};

/// Number of hits that are written in one transaction.
const HITS_WRITTEN: usize = 1_000;

/// Sweeps a region by the rules in force, and raises signals for the hits.
pub(super) async fn screen(
    door: Door,
    request: Request<ScreenHouseholdsRequest>,
) -> Result<Answers<ScreenHouseholdsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let sweep = door.sweep(&request, &request.get_ref().region_code).await?;
    let parts = commands::sweep(sweep).await?;
    let screening = Screening { door, caller, tally: Tally::default(), signals: 0, waiting: Vec::new() };
    Ok(answers(move |answering| screening.run(parts, answering)))
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
        answering: Answering<ScreenHouseholdsResponse>,
    ) -> Result<(), Error> {
        while let Some(part) = parts.recv().await {
            let part = part?;
            self.tally.add(&part.tally);
            self.waiting.extend(part.hits);
            while self.waiting.len() >= HITS_WRITTEN {
                let later = self.waiting.split_off(HITS_WRITTEN);
                self.write(later).await?;
            }
            answering.offer(self.answer(false));
        }
        self.write(Vec::new()).await?;
        answering.send(self.answer(true)).await;
        Ok(())
    }

    /// Writes the waiting hits, and lets others wait.
    async fn write(&mut self, later: Vec<Hit>) -> Result<(), Error> {
        let hits = std::mem::replace(&mut self.waiting, later);
        if hits.is_empty() {
            return Ok(());
        }
        // A repetition is harmless because it finds nothing new, so there is no idempotency key.
        let written = self.door.writer.execute_each_time(&self.caller, RecordHits(hits)).await?;
        self.signals += written.signals;
        Ok(())
    }

    fn answer(&self, done: bool) -> ScreenHouseholdsResponse {
        let count = ScreeningCount { signals: self.signals, ..(&self.tally).into() };
        ScreenHouseholdsResponse { count: Some(count), done }
    }
}

/// Reports the households that a rule set which is not stored would flag.
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
    Ok(answers(move |answering| async move {
        let simulated = follow(parts, &answering).await?;
        answering.send(simulated.result(day)).await;
        Ok::<_, Error>(())
    }))
}

/// Adds up the results. When the caller goes away, the simulation ends.
async fn follow(
    mut parts: mpsc::Receiver<Result<Part, Error>>,
    answering: &Answering<SimulateRuleSetResponse>,
) -> Result<Simulated, Error> {
    let mut simulated = Simulated::default();
    while let Some(part) = parts.recv().await {
        simulated.add(part?);
        answering.offer(simulated.progress());
        if answering.is_gone() {
            break;
        }
    }
    Ok(simulated)
}

impl Door {
    /// A screening for a caller who sees the region.
    async fn sweep<M>(&self, request: &Request<M>, region: &str) -> Result<Sweep, Status> {
        let caller = Caller::of(request)?;
        let region = convert::region("region_code", region)?;
        let mut tx = self.read(request).await?;
        register::ensure(&mut tx, region).await.map_err(Error::from)?;
        tx.rollback().await.map_err(Error::from)?;
        Ok(Sweep { pool: self.pool.clone(), scope: Scope::region(caller.region()), region, day: self.clock.today() })
    }
}
