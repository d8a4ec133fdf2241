//! Until when somebody waits for what is read.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Postgres ends a statement this much later, so that the caller is told of the deadline and not of the statement.
const GRACE: Duration = Duration::from_millis(200);

/// Does work for somebody who waits until a moment: what it reads ends in Postgres soon after, too. What it spawns
/// does not.
pub(crate) async fn wait_until<Work: Future>(moment: Instant, work: Work) -> Work::Output {
    DEADLINE.scope(moment, work).await
}

/// How long a statement may take that is read for somebody who waits.
pub(super) fn left() -> Option<Duration> {
    let left = |moment: &Instant| moment.saturating_duration_since(Instant::now()) + GRACE;
    DEADLINE.try_with(left).ok()
}
