//! How long a command retries.

use std::time::Duration;

use tokio::time::sleep;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{lang::told, said::said, unreachable};

/// Maximum number of retries: about a minute for a call that fails immediately, or so many interruptions of a long
/// import.
const PAUSES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Number of pauses after which the time left is told again.
const TELL_EVERY: u32 = 10;

/// Pauses between calls, and counts the time left down.
pub struct Patience {
    passes: fn(&Status) -> bool,
    pauses: u32,
}

impl Patience {
    /// Retries if the server responds that the same call may be repeated, because nothing was done.
    pub fn with_answers() -> Self {
        Self::with(is_told_to_wait)
    }

    /// Also retries if the server does not respond, for idempotent calls.
    pub fn with_all() -> Self {
        Self::with(is_passing)
    }

    fn with(passes: fn(&Status) -> bool) -> Self {
        Self { passes, pauses: 0 }
    }

    /// Whether to call again, after a pause that is announced by `note`.
    pub async fn again(&mut self, status: &Status, note: impl FnOnce(&str)) -> bool {
        if !(self.passes)(status) || self.pauses == PAUSES {
            return false;
        }
        let (left, why) = (PAUSES - self.pauses, said(status));
        if self.pauses == 0 {
            note(&told!("waiting, for {left} seconds at most: {why}", "等待中，最多 {left} 秒：{why}"));
        } else if self.pauses.is_multiple_of(TELL_EVERY) {
            note(&told!("still waiting, {left} seconds left", "仍在等待，还剩 {left} 秒"));
        }
        self.pauses += 1;
        sleep(PAUSE).await;
        true
    }
}

/// Responses of a server have a reason; failed connections have none.
fn is_told_to_wait(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.get_details_error_info().is_some()
}

/// Whether the same request may succeed a little later.
pub fn is_passing(status: &Status) -> bool {
    let may_pass =
        matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown);
    may_pass && !unreachable::is_for_good(status)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tonic_types::ErrorDetails;

    use super::*;

    fn refused(code: Code, reason: &str) -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, "access.tongxin", []);
        Status::with_error_details(code, "the keys cannot be had", details)
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_waits_for_a_minute_and_counts_it_down() {
        let keys = refused(Code::Unavailable, "KEYS_UNAVAILABLE");
        let (mut patience, mut notes, begun) = (Patience::with_answers(), Vec::new(), Instant::now());
        let mut calls = 1;
        while patience.again(&keys, |note| notes.push(note.to_owned())).await {
            calls += 1;
        }
        assert_eq!((calls, begun.elapsed()), (61, Duration::from_mins(1)));
        assert!(
            notes[0].starts_with("waiting, for 60 seconds at most") && notes[0].contains("KEYS_UNAVAILABLE"),
            "{notes:?}"
        );
        let left: Vec<_> = notes[1..].iter().filter_map(|note| note.split(' ').nth(2)).collect();
        assert_eq!(left, ["50", "40", "30", "20", "10"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_what_does_not_pass() {
        let again = async |mut patience: Patience, status: Status| patience.again(&status, |_| {}).await;
        let away = || Status::unavailable("nobody listens");
        assert!(!again(Patience::with_answers(), away()).await, "is it running at all?");
        assert!(again(Patience::with_all(), away()).await);
        for status in [refused(Code::Unauthenticated, "TOKEN_INVALID"), refused(Code::NotFound, "REGION_NOT_FOUND")] {
            assert!(
                !again(Patience::with_answers(), status.clone()).await && !again(Patience::with_all(), status).await
            );
        }
    }
}
