//! Keeps a program running: starts it, watches it, starts it again when it dies.
//!
//! Each program has a thread of its own, which starts it and outlives it: the kernel can tell a child
//! that its parent died, but to Linux the parent is the *thread* that started it, and test threads
//! and worker threads come and go.

use std::{
    io,
    path::Path,
    thread::{self, JoinHandle},
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
};

use crate::{
    error::ServersError,
    life::{Order, keep},
    program::{Program, State},
};

/// Our side of the thread that keeps a program running.
#[derive(Debug)]
pub(crate) struct Keeper {
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
