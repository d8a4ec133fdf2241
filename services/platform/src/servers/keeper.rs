//! Keeps a program running: starts it, watches it, starts it again when it dies.
//!
//! Each program has a thread of its own, which starts it and outlives it: the kernel can tell a child
//! that its parent died, but to Linux the parent is the *thread* that started it, and test threads
//! and worker threads come and go.

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::ServersError;
use super::child::{self, Log};

/// Recovery after a crash takes long on a big database.
const START_LIMIT: Duration = Duration::from_mins(5);
/// Postgres writes a line about each caller who comes too early.
const PROBE_PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(500)];
const RESTART_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// Who lived this long is not in a loop of crashes.
const STABLE_AFTER: Duration = Duration::from_secs(10);
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// What the keeper must know about a program.
pub(super) trait Program: Send + 'static {
    const NAME: &'static str;

    /// What its users need to know, when it answers.
    type Address: Send;

    fn address(&self) -> Self::Address;

    fn command(&self) -> Command;

    /// Where its output goes.
    fn log(&self) -> &Path;

    /// Whether it does its work.
    fn answers(&self) -> impl Future<Output = bool>;

    /// Whether it runs, but to no use, and should be started again.
    fn is_broken(&self) -> bool {
        false
    }

    /// How to end it, ever less politely, with the time it has for each.
    fn farewell(&self, hurry: bool) -> &'static [(Signal, Duration)];
}

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// On its way up.
    Starting,
    /// Answers.
    Up {
        /// Its process id.
        pid: u32,
    },
    /// Stopped by us, and left so until told otherwise.
    Halted,
}

impl State {
    /// The process id while it answers.
    #[must_use]
    pub fn pid(self) -> Option<u32> {
        match self {
            Self::Up { pid } => Some(pid),
            Self::Starting | Self::Halted => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Halt,
    Resume,
    Stop,
    /// Nobody is interested any more.
    Abandon,
}

type Started<P> = oneshot::Sender<Result<<P as Program>::Address, ServersError>>;

/// How a life ended that had begun well.
enum End {
    Died { status: String },
    Broken,
    Told(Order),
}

/// Our side of the thread that keeps a program running.
#[derive(Debug)]
pub(super) struct Keeper {
    orders: Option<mpsc::UnboundedSender<Order>>,
    state: watch::Receiver<State>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Prepares and starts a program in a thread of its own; returns when it answers.
    pub async fn start<P: Program>(
        prepare: impl AsyncFnOnce() -> Result<P, ServersError> + Send + 'static,
    ) -> Result<(Self, P::Address), ServersError> {
        let (orders, their_orders) = mpsc::unbounded_channel();
        let (their_state, state) = watch::channel(State::Starting);
        let (their_started, started) = oneshot::channel();

        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServersError::io("start a runtime for", Path::new(P::NAME)))?;
        let thread = thread::Builder::new()
            .name(format!("keeper-{}", P::NAME))
            .spawn(move || {
                runtime.block_on(keep(prepare, their_orders, their_state, their_started));
            })
            .map_err(ServersError::io("start a thread for", Path::new(P::NAME)))?;
        let keeper = Self { orders: Some(orders), state, thread: Some(thread) };

        let panicked = |_| ServersError::io("keep", Path::new(P::NAME))(io::Error::other("its thread panicked"));
        let address = started.await.map_err(panicked)??;
        Ok((keeper, address))
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Waits until it answers, as another process than this one.
    pub async fn restarted(&self, before: u32) {
        self.wait_for(|state| matches!(state, State::Up { pid } if *pid != before)).await;
    }

    pub async fn halt(&self) {
        self.order(Order::Halt);
        self.wait_for(|state| *state == State::Halted).await;
    }

    pub async fn resume(&self) {
        self.order(Order::Resume);
        self.wait_for(|state| matches!(state, State::Up { .. })).await;
    }

    pub async fn stop(&self, hurry: bool) {
        self.order(if hurry { Order::Abandon } else { Order::Stop });
        self.wait_for(|_| false).await;
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // A thread that is gone has stopped its program.
            let _ = orders.send(order);
        }
    }

    /// Also returns when the thread has ended.
    async fn wait_for(&self, is_so: impl FnMut(&State) -> bool) {
        let _ = self.state.clone().wait_for(is_so).await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.order(Order::Abandon);
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been reported by itself.
            let _ = thread.join();
        }
    }
}

async fn keep<P: Program>(
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
    /// There until the program answered for the first time.
    started: Option<Started<P>>,
}

impl<P: Program> Kept<P> {
    /// One life after the other.
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

    /// Starts the program and stays with it until it ends.
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
            // It must not write what it remembers over what is there now.
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

/// A program that runs need not be told to.
async fn stop_order(orders: &mut mpsc::UnboundedReceiver<Order>) -> Order {
    loop {
        match next_order(orders).await {
            Order::Resume => {}
            order @ (Order::Halt | Order::Stop | Order::Abandon) => return order,
        }
    }
}

/// Waits until the program answers, says so, and watches it.
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

/// Pauses that grow from the first of the limits to the second.
struct Backoff {
    limits: [Duration; 2],
    next: Duration,
}

impl Backoff {
    fn new(limits: [Duration; 2]) -> Self {
        Self { limits, next: limits[0] }
    }

    fn reset(&mut self) {
        self.next = self.limits[0];
    }

    fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.limits[1]);
        pause
    }
}

#[test]
fn pauses_grow_to_their_limit() {
    let mut backoff = Backoff::new([1, 5].map(Duration::from_secs));
    let pauses: Vec<_> = (0..4).map(|_| backoff.pause().as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 5]);
    backoff.reset();
    assert_eq!(backoff.pause().as_secs(), 1);
}
