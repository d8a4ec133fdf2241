//! SIGINT and SIGTERM, which mean: finish, and stop.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Completes at the first signal. Signals count from this call on, not from the first poll.
pub fn told() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
