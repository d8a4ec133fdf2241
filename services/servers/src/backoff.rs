//! Back-off between attempts.

use std::time::Duration;

/// Pauses that double from the first limit up to the second.
pub(crate) struct Backoff {
    limits: [Duration; 2],
    next: Duration,
}

impl Backoff {
    pub fn new(limits: [Duration; 2]) -> Self {
        Self { limits, next: limits[0] }
    }

    pub fn reset(&mut self) {
        self.next = self.limits[0];
    }

    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.limits[1]);
        pause
    }
}

#[test]
fn pauses_grow_to_their_limit() {
    let mut backoff = Backoff::new([1, 5].map(Duration::from_secs));
    let pauses: Vec<_> = (0..4).map(|_| backoff.pause().as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 5]);
    backoff.reset();
    assert_eq!(backoff.pause().as_secs(), 1);
}
