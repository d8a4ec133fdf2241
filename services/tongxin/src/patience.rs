//! How long a command waits for what passes.

use std::time::Duration;

use tokio::time::sleep;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{said::said, unreachable};

/// What is refused at once is called again for about a minute. Of an import that takes hours, so many breaks are mended.
const PAUSES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Waits between calls, and says once that it does.
pub struct Patience {
    passes: fn(&Status) -> bool,
    pauses: u32,
    has_said: bool,
}

impl Patience {
    /// With a server that answers that the same call may be made again: nothing was done for it.
    pub fn with_answers() -> Self {
        Self::with(is_told_to_wait)
    }

    /// Also with a server that does not answer, for calls that may be made twice.
    pub fn with_all() -> Self {
        Self::with(is_passing)
    }

    fn with(passes: fn(&Status) -> bool) -> Self {
        Self { passes, pauses: 0, has_said: false }
    }

    /// Whether to call again, after a pause that is announced by `note`.
    pub async fn again(&mut self, status: &Status, note: impl FnOnce(&str)) -> bool {
        if !(self.passes)(status) || self.pauses == PAUSES {
            return false;
        }
        self.pauses += 1;
        if !std::mem::replace(&mut self.has_said, true) {
            note(&format!("waiting for about a minute at most: {}", said(status)));
        }
        sleep(PAUSE).await;
        true
    }
}

/// Answers of a server have their reasons; a connection that fails has none.
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
    async fn a_command_waits_for_a_minute_and_says_so_once() {
        let keys = refused(Code::Unavailable, "KEYS_UNAVAILABLE");
        let (mut patience, mut notes, begun) = (Patience::with_answers(), Vec::new(), Instant::now());
        let mut calls = 1;
        while patience.again(&keys, |note| notes.push(note.to_owned())).await {
            calls += 1;
        }
        assert_eq!((calls, begun.elapsed()), (61, Duration::from_mins(1)));
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        assert!(note.contains("KEYS_UNAVAILABLE"), "{note}");
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
