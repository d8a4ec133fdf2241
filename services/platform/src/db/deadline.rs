//! The caller's deadline, as a limit of statements.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Postgres cancels a statement this much later, so that the caller is told of the deadline and not of the statement.
const GRACE: Duration = Duration::from_millis(200);

/// Runs `work` with a deadline: queries in it get a matching `statement_timeout`. Spawned tasks do not inherit it.
pub(crate) async fn wait_until<Work: Future>(moment: Instant, work: Work) -> Work::Output {
    DEADLINE.scope(moment, work).await
}

/// The time that a query may take under the current deadline.
pub(super) fn left() -> Option<Duration> {
    let left = |moment: &Instant| moment.saturating_duration_since(Instant::now()) + GRACE;
    DEADLINE.try_with(left).ok()
}
