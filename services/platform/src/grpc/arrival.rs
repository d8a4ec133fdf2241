//! A request from its head to the last byte of its response: what it holds, and whether its caller stalls.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use http::Extensions;
use tokio::time::{Duration, Instant};
use tonic::{Request, Status};

use super::{
    connections::Peer,
    places::{Full, Owner, Place, Pot},
    shed::Shed,
    status::refuse,
};
use crate::error::common;

/// A request in progress.
#[derive(Clone)]
pub(super) struct Arrival(Arc<Inner>);

struct Inner {
    peer: Option<Peer>,
    bodies: Arc<Pot>,
    shed: Shed,
    pace: Pace,
    /// Whether we are the one to time its body out.
    judged: AtomicBool,
    owner: OnceLock<Owner>,
    bytes: Mutex<Option<Place>>,
    place: Mutex<Option<Held>>,
    fault: OnceLock<Status>,
}

/// What a request holds until its response is sent.
pub(super) struct Held {
    pub(super) _place: Place,
    pub(super) _of_address: Option<Place>,
    pub(super) _busy: Option<super::connections::Busy>,
}

impl Arrival {
    pub(super) fn new(peer: Option<Peer>, bodies: Arc<Pot>, shed: Shed) -> Self {
        Self(Arc::new(Inner {
            peer,
            bodies,
            shed,
            pace: Pace::default(),
            judged: AtomicBool::new(true),
            owner: OnceLock::new(),
            bytes: Mutex::default(),
            place: Mutex::default(),
            fault: OnceLock::new(),
        }))
    }

    pub(super) fn peer(&self) -> Option<&Peer> {
        self.0.peer.as_ref()
    }

    pub(super) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Admits the request, and counts its body for the caller. A gateway that passes a stream on leaves it to the
    /// service to time out the next message: it cannot see that the service is still working on the last one.
    pub(super) fn admit(&self, owner: Owner, judged: bool) {
        self.0.judged.store(judged, Relaxed);
        // Set once per request.
        let _ = self.0.owner.set(owner);
    }

    pub(super) fn is_judged(&self) -> bool {
        self.0.judged.load(Relaxed)
    }

    /// Counts bytes of the body that were read.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), Status> {
        let mut held = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let place = held.get_or_insert_with(|| self.0.bodies.open(self.0.owner.get().cloned()));
        place.grow(bytes).map_err(|full| {
            let listed = match full {
                Full::Pot => common::OVERLOADED,
                Full::Share => common::SHARE_EXHAUSTED,
            };
            let text = "too much is sent at once: wait and send the same request again";
            self.fail(refuse(listed, text), "bodies")
        })
    }

    /// Counts bytes as released.
    pub(super) fn release(&self, bytes: usize) {
        if let Some(place) = &mut *self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner) {
            place.shrink(bytes);
        }
    }

    /// The caller sent nothing for too long.
    pub(super) fn stalled(&self) -> Status {
        self.fail(stalled("nothing came"), "stalled")
    }

    fn fail(&self, status: Status, what: &'static str) -> Status {
        self.0.shed.count(what);
        self.0.fault.get_or_init(|| status).clone()
    }

    /// Why its body was not read to its end, if the fault was found here.
    pub(super) fn fault(&self) -> Option<Status> {
        self.0.fault.get().cloned()
    }

    /// Keeps its place until the response is sent.
    pub(super) fn keep(&self, held: Held) {
        *self.0.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    pub(super) fn take(&self) -> Option<Held> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The unpacked size of a body, which counts like bytes that were received.
#[derive(Clone)]
pub struct Unpacked(Arrival);

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Unpacked").finish_non_exhaustive()
    }
}

impl Unpacked {
    /// That of a request; nothing is counted for a request that did not come through a server.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Arrival>().cloned().map(Self)
    }

    /// Counts more bytes.
    ///
    /// # Errors
    /// If too many are held, in total or by the caller.
    pub fn charge(&self, bytes: usize) -> Result<(), Status> {
        self.0.charge(bytes)
    }

    /// Counts bytes as released.
    pub fn release(&self, bytes: usize) {
        self.0.release(bytes);
    }

    /// The subject that it is counted for, once the caller was admitted.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.0.owner.get().map(|owner| owner.name.as_str())
    }

    /// Makes us the one to time the body out, because it is read whole before anything is passed on.
    pub fn judge(&self) {
        self.0.0.judged.store(true, Relaxed);
    }
}

/// The error for a caller that stalled.
pub(super) fn stalled(what: &str) -> Status {
    refuse(common::STALLED, format!("{what} for too long: send the same request again"))
}

/// Whether we work for a caller. A caller that sends nothing until it has our answer does not stall meanwhile. Only
/// code that reads ahead of its work has to say so: while nothing is read, nothing times out.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Work>);

#[derive(Debug, Default)]
struct Work {
    at_once: AtomicUsize,
    ended: Mutex<Option<Instant>>,
}

impl Pace {
    /// That of a request.
    #[must_use]
    pub fn of<M>(request: &Request<M>) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// We work until this is dropped.
    #[must_use]
    pub fn working(&self) -> Working {
        self.0.at_once.fetch_add(1, Relaxed);
        Working(Arc::clone(&self.0))
    }

    /// Since when a caller has stalled, if it was waited for since `moment`; `None` while we work.
    pub(super) fn waiting_since(&self, moment: Instant) -> Option<Instant> {
        if self.0.at_once.load(Relaxed) > 0 {
            return None;
        }
        let ended = *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        Some(ended.map_or(moment, |ended| ended.max(moment)))
    }
}

/// Work for a caller.
#[derive(Debug)]
pub struct Working(Arc<Work>);

impl Drop for Working {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.0.at_once.fetch_sub(1, Relaxed);
    }
}

/// Time limits for peers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the next bytes to be sent or taken.
    pub(super) stall: Duration,
    /// For a response that does not stream to be taken whole.
    pub(super) send: Duration,
}
