//! The client who must not notice.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinHandle;
use tongxin_proto::{
    gateway::v1::GetScorecardRequest, monitoring::v1::ListHouseholdsRequest, pairing::v1::ListRegionsRequest,
};
use tonic::Request;

use crate::Clients;

/// How long a good client waits for an answer.
const WITHIN: Duration = Duration::from_secs(10);

/// What the good client met.
#[derive(Debug, Default, Clone)]
pub struct Meanwhile {
    /// How long each call took that was answered.
    pub times: Vec<Duration>,
    /// Why each other one was not.
    pub failures: Vec<String>,
}

impl Meanwhile {
    /// The time that so many in a thousand calls stayed below.
    #[must_use]
    pub fn quantile(&self, per_mille: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get((times.len() * per_mille / 1_000).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Calls of the gateway and of each service behind it, on a held connection and on fresh ones by turns, one after another.
pub struct Good {
    stop: Arc<AtomicBool>,
    met: Arc<Mutex<Meanwhile>>,
    calling: JoinHandle<Result<()>>,
}

impl Good {
    /// Begins to call with the token of the clients, about a region that it covers.
    #[must_use]
    pub fn begin(clients: &Clients, region: &'static str) -> Self {
        let (stop, met) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Meanwhile>>::default());
        let calling = tokio::spawn(call(clients.clone(), region, Arc::clone(&stop), Arc::clone(&met)));
        Self { stop, met, calling }
    }

    /// Ends after the call that is under way.
    ///
    /// # Errors
    /// When it could not even connect.
    pub async fn end(self) -> Result<Meanwhile> {
        self.stop.store(true, Ordering::Relaxed);
        self.calling.await??;
        Ok(self.met.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

async fn call(clients: Clients, region: &'static str, stop: Arc<AtomicBool>, met: Arc<Mutex<Meanwhile>>) -> Result<()> {
    let (mut gateway, mut households, mut pairing) = (clients.gateway()?, clients.households()?, clients.pairing()?);
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        if number % 2 == 1 {
            (gateway, households, pairing) = (clients.gateway()?, clients.households()?, clients.pairing()?);
        }
        let began = Instant::now();
        let scorecard = GetScorecardRequest { region_code: region.to_owned(), as_of: None };
        let list = ListHouseholdsRequest { region_code: region.to_owned(), page_size: 5, ..Default::default() };
        let below = ListRegionsRequest { parent_code: region.to_owned(), ..Default::default() };
        // Each on the held connection, then on a fresh one.
        let answered = match number / 2 % 3 {
            0 => households.list_households(within(list)).await.map(drop),
            1 => pairing.list_regions(within(below)).await.map(drop),
            _ => gateway.get_scorecard(within(scorecard)).await.map(drop),
        };
        let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Ok(()) => met.times.push(began.elapsed()),
            Err(status) => met.failures.push(format!("after {:?}: {status}", began.elapsed())),
        }
        number += 1;
    }
    Ok(())
}

fn within<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(WITHIN);
    request
}
