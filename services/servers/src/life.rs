//! The supervisor thread of a program: runs it again and again.

use std::{io, path::Path, process::ExitStatus, time::Duration};

use tokio::{
    process::Child,
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    child,
    error::ServersError,
    log::Log,
    program::{Program, State},
};

/// Crash recovery of a large database takes long.
const START_LIMIT: Duration = Duration::from_mins(5);
/// Postgres logs a line for each connection that comes too early.
const PROBE_PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(500)];
const RESTART_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// A program that ran this long is not in a crash loop.
const STABLE_AFTER: Duration = Duration::from_secs(10);
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// An order to the supervisor thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Halt,
    Resume,
    Stop,
    /// The handle was dropped.
    Abandon,
}

/// Receives the first readiness, or the error.
pub(crate) type Started<P> = oneshot::Sender<Result<<P as Program>::Address, ServersError>>;

/// Why a program that had become ready ended.
enum End {
    Died { status: String },
    Broken,
    Told(Order),
}

/// Prepares a program, and keeps it running until it is ordered to stop.
pub(crate) async fn keep<P: Program>(
    prepare: impl AsyncFnOnce() -> Result<P, ServersError>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    state: watch::Sender<State>,
    started: Started<P>,
) {
    let prepared = tokio::select! {
        prepared = prepare() => prepared,
        _ = orders.recv() => return,
    };
    match prepared {
        Ok(program) => {
            let started = Some(started);
            let mut kept = Kept { program, orders, state, started };
            kept.run().await;
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    }
}

struct Kept<P: Program> {
    program: P,
    orders: mpsc::UnboundedReceiver<Order>,
    state: watch::Sender<State>,
    /// `Some` until the program is ready for the first time.
    started: Option<Started<P>>,
}

impl<P: Program> Kept<P> {
    async fn run(&mut self) {
        let mut backoff = Backoff::new(RESTART_PAUSES);
        loop {
            let born = Instant::now();
            let end = self.live().await;
            if born.elapsed() > STABLE_AFTER {
                backoff.reset();
            }
            let mut order = match end {
                Ok(End::Told(order)) => order,
                Ok(End::Died { status }) => {
                    warn!(server = P::NAME, %status, "a server died");
                    self.pause(backoff.pause()).await
                }
                Ok(End::Broken) => {
                    warn!(server = P::NAME, "a server lost its data under way");
                    self.pause(backoff.pause()).await
                }
                Err(error) => {
                    if let Some(started) = self.started.take() {
                        let _ = started.send(Err(error));
                        return;
                    }
                    warn!(server = P::NAME, %error, "a server does not come back");
                    self.pause(backoff.pause()).await
                }
            };

            while order == Order::Halt {
                self.state.send_replace(State::Halted);
                order = next_order(&mut self.orders).await;
            }
            if order != Order::Resume {
                return;
            }
            self.state.send_replace(State::Starting);
            info!(server = P::NAME, "starting a server again");
        }
    }

    /// Starts the program and waits until it ends.
    async fn live(&mut self) -> Result<End, ServersError> {
        let log = Log::open(self.program.log())?;
        let mut child =
            child::spawn(self.program.command(), &log).map_err(ServersError::io("start", Path::new(P::NAME)))?;

        let end = tokio::select! {
            end = follow(&self.program, &mut child, &log, &self.state, &mut self.started) => end?,
            order = stop_order(&mut self.orders) => End::Told(order),
        };
        match end {
            End::Told(order) => {
                let farewell = self.program.farewell(order == Order::Abandon);
                child::stop(&mut child, farewell).await;
                info!(server = P::NAME, "a server has stopped");
            }
            // Killed, so that it does not write stale state over the current files.
            End::Broken => drop(child.kill().await),
            End::Died { .. } => {}
        }
        Ok(end)
    }

    async fn pause(&mut self, time: Duration) -> Order {
        self.state.send_replace(State::Starting);
        timeout(time, next_order(&mut self.orders)).await.unwrap_or(Order::Resume)
    }
}

async fn next_order(orders: &mut mpsc::UnboundedReceiver<Order>) -> Order {
    orders.recv().await.unwrap_or(Order::Abandon)
}

/// Waits for an order to stop; ignores orders to run.
async fn stop_order(orders: &mut mpsc::UnboundedReceiver<Order>) -> Order {
    loop {
        match next_order(orders).await {
            Order::Resume => {}
            order @ (Order::Halt | Order::Stop | Order::Abandon) => return order,
        }
    }
}

/// Waits until the program is ready, announces it, and watches it.
async fn follow<P: Program>(
    program: &P,
    child: &mut Child,
    log: &Log,
    state: &watch::Sender<State>,
    started: &mut Option<Started<P>>,
) -> Result<End, ServersError> {
    let answering = async {
        let mut backoff = Backoff::new(PROBE_PAUSES);
        while !program.answers().await {
            sleep(backoff.pause()).await;
        }
    };
    tokio::select! {
        biased;
        status = child.wait() => return Err(log.ended(P::NAME, &describe(status))),
        answered = timeout(START_LIMIT, answering) => {
            answered.map_err(|_| log.silent(P::NAME, START_LIMIT))?;
        }
    }

    if let Some(pid) = child.id() {
        info!(server = P::NAME, pid, "a server is ready");
        state.send_replace(State::Up { pid });
    }
    if let Some(started) = started.take() {
        let _ = started.send(Ok(program.address()));
    }

    let breaking = async {
        while !program.is_broken() {
            sleep(CHECK_EVERY).await;
        }
    };
    Ok(tokio::select! {
        status = child.wait() => End::Died { status: describe(status) },
        () = breaking => End::Broken,
    })
}

fn describe(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
