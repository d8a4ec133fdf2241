//! Open connections: their number is limited, and those with calls stay before those without.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures::task::AtomicWaker;
use opentelemetry::{KeyValue, global, metrics::Counter};
use tokio::time::Instant;

use super::{GrpcConfig, network::Network};

/// Cancelled calls are forgotten one by one, so that the whole allowance is back after this time.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// The connections of a server.
#[derive(Clone)]
pub(super) struct Connections(Arc<Table>);

struct Table {
    most: usize,
    of_one_address: usize,
    trusted: Vec<Network>,
    given_up: u32,
    open: Mutex<Open>,
    closed: Counter<u64>,
}

#[derive(Default)]
struct Open {
    next: u64,
    by_number: HashMap<u64, Arc<Tracked>>,
}

/// A connection as the others see it.
#[derive(Debug)]
struct Tracked {
    address: Option<SocketAddr>,
    closing: AtomicBool,
    waker: AtomicWaker,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Whether a call of it was admitted.
    admitted: bool,
    /// Number of admitted calls in progress.
    busy: usize,
    /// When its last call began or ended.
    last: Instant,
    /// Cancelled calls, and the time of that count.
    given_up: f64,
    counted: Instant,
}

impl Connections {
    pub(super) fn new(config: &GrpcConfig) -> Self {
        let closed = global::meter("tongxin")
            .u64_counter("tongxin_connections_refused")
            .with_description("Connections that were closed to make place, or found none, by reason")
            .build();
        Self(Arc::new(Table {
            most: config.max_connections,
            of_one_address: config.max_per_address,
            trusted: config.trusted_proxies.clone(),
            given_up: config.max_given_up,
            open: Mutex::default(),
            closed,
        }))
    }

    /// Adds a connection. If there are too many, the one that has not called for longest is closed; connections without
    /// an admitted call have half of the places at most. A connection with a call in progress is never closed.
    pub(super) fn enter(&self, address: Option<SocketAddr>) -> Option<Peer> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_too_many(&open, address) {
            self.note("address");
            return None;
        }
        let strangers = open.by_number.values().filter(|one| !one.state().admitted).count();
        if strangers >= (self.0.most / 2).max(1) || open.by_number.len() >= self.0.most {
            let all = open.by_number.len() >= self.0.most;
            match longest_idle(&open, all) {
                Some(number) => {
                    if let Some(gone) = open.by_number.remove(&number) {
                        gone.close();
                        self.note("idle");
                    }
                }
                None if all => {
                    self.note("full");
                    return None;
                }
                // All strangers have a call in progress that needs no token, of which there are few.
                None => {}
            }
        }
        let now = Instant::now();
        let state = State { admitted: false, busy: 0, last: now, given_up: 0.0, counted: now };
        let tracked =
            Tracked { address, closing: AtomicBool::new(false), waker: AtomicWaker::new(), state: Mutex::new(state) };
        let (number, tracked) = (open.next, Arc::new(tracked));
        open.next += 1;
        open.by_number.insert(number, Arc::clone(&tracked));
        Some(Peer(Arc::new(Entered { connections: self.clone(), number, tracked })))
    }

    fn is_too_many(&self, open: &Open, address: Option<SocketAddr>) -> bool {
        let Some(ip) = address.map(|address| address.ip()).filter(|ip| !self.trusts(*ip)) else { return false };
        let same = |one: &&Arc<Tracked>| one.address.is_some_and(|other| other.ip() == ip);
        self.0.of_one_address > 0 && open.by_number.values().filter(same).count() >= self.0.of_one_address
    }

    /// Whether its `x-forwarded-for` is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.trusted.iter().any(|network| network.holds(address))
    }

    fn note(&self, reason: &'static str) {
        self.0.closed.add(1, &[KeyValue::new("reason", reason)]);
    }
}

/// Strangers first, then by the time since their last call; `all` includes connections that are no strangers.
fn longest_idle(open: &Open, all: bool) -> Option<u64> {
    let idle = open.by_number.iter().filter_map(|(number, one)| {
        let state = one.state();
        let may_go = state.busy == 0 && (all || !state.admitted);
        may_go.then_some((state.admitted, state.last, *number))
    });
    idle.min().map(|(.., number)| number)
}

impl Tracked {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.closing.store(true, SeqCst);
        self.waker.wake();
    }
}

/// A connection as its requests see it.
#[derive(Clone)]
pub(super) struct Peer(Arc<Entered>);

struct Entered {
    connections: Connections,
    number: u64,
    tracked: Arc<Tracked>,
}

impl Peer {
    /// Its remote address.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.0.tracked.address.map(|address| address.ip())
    }

    /// Whether its `x-forwarded-for` is believed.
    pub(super) fn is_trusted(&self) -> bool {
        self.address().is_some_and(|address| self.0.connections.trusts(address))
    }

    /// Whether an address is that of a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.connections.trusts(address)
    }

    /// A call whose response has not begun yet.
    pub(super) fn asked(&self) -> WaitedFor {
        self.0.tracked.state().last = Instant::now();
        WaitedFor(Some(self.clone()))
    }

    /// A call in progress, until this is dropped.
    pub(super) fn busy(&self, admitted: bool) -> Busy {
        let mut state = self.0.tracked.state();
        state.admitted |= admitted;
        state.busy += 1;
        state.last = Instant::now();
        drop(state);
        Busy(self.clone())
    }

    /// Whether the connection has to close; wakes the task when it has to.
    pub(super) fn is_closing(&self, context: &std::task::Context<'_>) -> bool {
        self.0.tracked.waker.register(context.waker());
        self.0.tracked.closing.load(SeqCst)
    }

    /// When a stranger that does not call is closed; `None` if a call was admitted or is in progress.
    pub(super) fn stays_until(&self, idle: Duration) -> Option<Instant> {
        let state = self.0.tracked.state();
        if state.admitted {
            return None;
        }
        let from = if state.busy > 0 { Instant::now() } else { state.last };
        Some(from + idle)
    }

    fn leaves(&self) {
        let mut open = self.0.connections.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.by_number.remove(&self.0.number);
    }

    fn gave_up(&self) {
        let most = f64::from(self.0.connections.0.given_up);
        if most <= 0.0 {
            return;
        }
        let mut state = self.0.tracked.state();
        let now = Instant::now();
        let forgotten = now.duration_since(state.counted).as_secs_f64() / FORGOTTEN.as_secs_f64() * most;
        state.given_up = (state.given_up - forgotten).max(0.0) + 1.0;
        state.counted = now;
        if state.given_up > most && !self.0.tracked.closing.load(SeqCst) {
            drop(state);
            self.0.connections.note("given_up");
            self.0.tracked.close();
        }
    }
}

/// The place of a connection, freed on drop.
pub(super) struct Seat(Peer);

impl Seat {
    pub(super) fn of(peer: Peer) -> Self {
        Self(peer)
    }

    /// Completes when the connection has to close.
    pub(super) async fn is_taken(&self) {
        poll_fn(|context| if self.0.is_closing(context) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl Deref for Seat {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.leaves();
    }
}

/// A call in progress.
pub(super) struct Busy(Peer);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.0.tracked.state();
        state.busy -= 1;
        state.last = Instant::now();
    }
}

/// A call whose response has not begun. If this is dropped before that, the client cancelled it.
pub(super) struct WaitedFor(Option<Peer>);

impl WaitedFor {
    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for WaitedFor {
    fn drop(&mut self) {
        if let Some(peer) = self.0.take() {
            peer.gave_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn connections(most: usize) -> Connections {
        Connections::new(&GrpcConfig { max_connections: most, max_given_up: 4, ..GrpcConfig::default() })
    }

    fn is_gone(peer: &Peer) -> bool {
        peer.is_closing(&Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_and_none_that_is_answered() {
        let connections = connections(3);
        let enter = || connections.enter(None);
        let (first, second, third) = (enter().unwrap(), enter(), enter());
        assert!(is_gone(&first), "half of the places are for strangers");
        drop((second, third));

        let connections = self::connections(2);
        let busy = connections.enter(None).unwrap();
        let answered = busy.busy(true);
        let second = connections.enter(None).unwrap();
        let under_way = second.busy(true);
        assert!(connections.enter(None).is_none(), "all are answered");
        drop(under_way);
        assert!(connections.enter(None).is_some());
        assert!(is_gone(&second) && !is_gone(&busy));
        drop(answered);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_do_not_push_out_who_was_let_in() {
        let connections = connections(4);
        let friends: Vec<_> = (0..2).map(|_| connections.enter(None).unwrap()).collect();
        for friend in &friends {
            drop(friend.busy(true));
        }
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(1)).await;
            connections.enter(None).unwrap();
        }
        assert!(friends.iter().all(|friend| !is_gone(friend)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_many_calls_at_once_is_closed() {
        let connections = connections(4);
        let (honest, rapid) = (connections.enter(None).unwrap(), connections.enter(None).unwrap());
        for _ in 0..100 {
            tokio::time::advance(FORGOTTEN / 4).await;
            drop(honest.asked());
            honest.asked().answered();
        }
        assert!(!is_gone(&honest));
        for _ in 0..5 {
            drop(rapid.asked());
        }
        assert!(is_gone(&rapid));
    }
}
