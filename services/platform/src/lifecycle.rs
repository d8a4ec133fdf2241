//! Starts the parts of a program, and stops all of them on a signal or when one ends.

use std::{future::Future, io, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::error::chain;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The running parts of a program.
#[derive(Debug, Default)]
pub struct Lifecycle {
    parts: JoinSet<(&'static str, Result<(), BoxError>)>,
    stop: CancellationToken,
}

/// Why a program stopped unexpectedly.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// A part ended by itself.
    #[error("{0} ended by itself")]
    Part(&'static str, #[source] Option<BoxError>),
    /// A part panicked.
    #[error("a part of the program panicked")]
    Panicked(#[source] tokio::task::JoinError),
    /// Parts did not stop in time.
    #[error("not all parts stopped within {0:?}")]
    Late(Duration),
    /// Signals cannot be listened to.
    #[error("cannot listen to signals")]
    Signal(#[from] std::io::Error),
}

impl Lifecycle {
    /// The token whose cancellation stops all parts.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a part until it ends. If it ends before the program is told to stop, the program stops.
    pub fn start<E>(&mut self, name: &'static str, part: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<BoxError>,
    {
        self.parts.spawn(async move { (name, part.await.map_err(Into::into)) });
    }

    /// Runs a part that cannot fail until it ends, as [`start`](Self::start) does.
    pub fn run(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        self.start(name, async move {
            part.await;
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Waits for SIGTERM or SIGINT, or for a part to end, then stops all parts.
    ///
    /// # Errors
    /// If a part ended by itself, or does not stop within the grace period.
    pub async fn run_until_stopped(self, grace: Duration) -> Result<(), Stopped> {
        self.run_until(stop_signal()?, grace).await
    }

    /// Waits for a future, or for a part to end, then stops all parts.
    ///
    /// # Errors
    /// If a part ended by itself, or does not stop within the grace period.
    pub async fn run_until(mut self, told: impl Future<Output = ()>, grace: Duration) -> Result<(), Stopped> {
        let first = tokio::select! {
            () = told => {
                info!("stopping");
                Ok(())
            }
            ended = self.parts.join_next(), if !self.parts.is_empty() => ended.map_or(Ok(()), unexpected),
        };
        if let Err(stopped) = &first {
            error!(error = chain(stopped), "stopping because a part of the program ended");
        }
        self.stop.cancel();
        let drained = timeout(grace, async {
            let mut result = Ok(());
            while let Some(ended) = self.parts.join_next().await {
                if let Some(failure) = failed(ended) {
                    result = Err(failure);
                }
            }
            result
        })
        .await;
        first?;
        drained.unwrap_or(Err(Stopped::Late(grace)))
    }
}

/// Completes at the first SIGTERM or SIGINT after this call, polled or not.
///
/// # Errors
/// If signals cannot be listened for.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

type Ended = Result<(&'static str, Result<(), BoxError>), tokio::task::JoinError>;

fn unexpected(ended: Ended) -> Result<(), Stopped> {
    Err(match ended {
        Ok((name, result)) => Stopped::Part(name, result.err()),
        Err(error) => Stopped::Panicked(error),
    })
}

fn failed(ended: Ended) -> Option<Stopped> {
    match ended {
        Ok((_, Ok(()))) => None,
        Ok((name, Err(error))) => Some(Stopped::Part(name, Some(error))),
        Err(error) => Some(Stopped::Panicked(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_part_that_panics_stops_the_program() {
        let mut lifecycle = Lifecycle::default();
        let stop = lifecycle.stop_token();
        lifecycle.start("sound", async move {
            stop.cancelled().await;
            Ok::<(), std::io::Error>(())
        });
        lifecycle.start("broken", async { panic!("on purpose") as Result<(), std::io::Error> });
        let stopped = lifecycle.run_until(std::future::pending(), GRACE).await.unwrap_err();
        assert!(matches!(stopped, Stopped::Panicked(_)), "{stopped}");
    }

    #[tokio::test]
    async fn a_part_that_returns_stops_the_program() {
        let mut lifecycle = Lifecycle::default();
        lifecycle.start("short", async { Ok::<(), std::io::Error>(()) });
        let stopped = lifecycle.run_until(std::future::pending(), GRACE).await.unwrap_err();
        assert_eq!(stopped.to_string(), "short ended by itself");
    }

    #[tokio::test]
    async fn parts_are_told_to_stop_and_waited_for() {
        let mut lifecycle = Lifecycle::default();
        let stop = lifecycle.stop_token();
        lifecycle.start("sound", async move {
            stop.cancelled().await;
            Ok::<(), std::io::Error>(())
        });
        lifecycle.run_until(async {}, GRACE).await.unwrap();
    }
}
