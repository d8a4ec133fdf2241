//! A queue for the parsing of large messages that is fair among callers: one caller with many requests waits behind all
//! others.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::oneshot;

/// A semaphore: waiting callers take turns.
pub(super) struct Turns(Mutex<State>);

struct State {
    free: usize,
    /// Waiting requests by caller. The front caller is served next, and then moves to the back with its other requests.
    waiting: VecDeque<(String, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A permit, until it is dropped.
pub(super) struct Turn(&'static Turns);

impl Turns {
    pub(super) const fn new(free: usize) -> Self {
        Self(Mutex::new(State { free, waiting: VecDeque::new() }))
    }

    pub(super) async fn wait(&'static self, caller: &str) -> Turn {
        let Some(turn) = self.queue(caller) else { return Turn(self) };
        // A turn is always handed on when it ends.
        turn.await.unwrap_or_else(|_| Turn(self))
    }

    /// Joins the queue; `None` if a turn is free.
    fn queue(&self, caller: &str) -> Option<oneshot::Receiver<Turn>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.free > 0 {
            state.free -= 1;
            return None;
        }
        let (handed, turn) = oneshot::channel();
        match state.waiting.iter_mut().find(|(name, _)| name == caller) {
            Some((_, waiting)) => waiting.push_back(handed),
            None => state.waiting.push_back((caller.to_owned(), VecDeque::from([handed]))),
        }
        Some(turn)
    }

    fn next(&self) -> Option<oneshot::Sender<Turn>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((caller, mut waiting)) = state.waiting.pop_front() {
            let next = waiting.pop_front();
            if !waiting.is_empty() {
                state.waiting.push_back((caller, waiting));
            }
            // Skips requests that were cancelled.
            if let Some(next) = next.filter(|next| !next.is_closed()) {
                return Some(next);
            }
        }
        state.free += 1;
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(next) = self.0.next() {
            // If the receiver has just been cancelled, dropping the turn hands it on again.
            let _ = next.send(Self(self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{task::JoinSet, time::sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_wants_all_turns_keeps_nobody_waiting_for_more_than_one() {
        static TURNS: Turns = Turns::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = TURNS.wait("greedy").await;
        let mut waiting = JoinSet::new();
        for caller in ["greedy", "greedy", "greedy", "left", "modest", "late"] {
            let order = Arc::clone(&order);
            let turn = async move {
                let _turn = TURNS.wait(caller).await;
                order.lock().unwrap().push(caller);
                sleep(std::time::Duration::from_secs(1)).await;
            };
            if caller == "left" {
                assert!(tokio::time::timeout(std::time::Duration::from_millis(1), turn).await.is_err());
            } else {
                waiting.spawn(turn);
                // It is queued now.
                tokio::task::yield_now().await;
            }
        }
        drop(first);
        while waiting.join_next().await.is_some() {}
        assert_eq!(*order.lock().unwrap(), ["greedy", "modest", "late", "greedy", "greedy"]);
        assert_eq!(TURNS.0.lock().unwrap().free, 1);
    }
}
