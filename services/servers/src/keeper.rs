//! A supervisor: starts a program, watches it, and restarts it when it dies.
//!
//! Each program has its own thread, which starts and outlives it: the kernel can signal a child when its parent dies,
//! but to Linux the parent is the *thread* that started it, and threads of tests and of the runtime end earlier.

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

/// Handle of a supervisor thread.
#[derive(Debug)]
pub(crate) struct Keeper {
    orders: Option<mpsc::UnboundedSender<Order>>,
    state: watch::Receiver<State>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Prepares and starts a program in its own thread; returns when it is ready.
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

    /// Waits until a process with another id than `before` is ready.
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
            // If the thread is gone, it has stopped its program.
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
            // Its panic has already been reported.
            let _ = thread.join();
        }
    }
}
