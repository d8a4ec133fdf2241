//! Limits how much strangers can write to the log.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Interval in which events of one kind share a log line.
pub(crate) const QUIET: Duration = Duration::from_secs(10);

/// Maximum number of kinds that are distinguished.
const KINDS: usize = 256;

/// Counts events by kind until they are logged.
pub(crate) struct Quiet<K>(Mutex<HashMap<K, Unsaid>>);

#[derive(Debug, Default)]
struct Unsaid {
    said: Option<Instant>,
    times: u64,
}

impl<K: Clone + Eq + Hash> Quiet<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Counts one event, under `rest` if there are too many kinds. Returns what to log now: this event, unless its kind
    /// was logged a moment ago, and the suppressed counts of other kinds whose interval is over. The last events of a
    /// burst are logged when the next of any kind arrives.
    pub(crate) fn note(&self, kind: K, rest: K, now: Instant) -> Vec<(K, u64)> {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        for (kind, of_kind) in unsaid.iter_mut().filter(|(_, of_kind)| of_kind.times > 0) {
            told.extend(of_kind.tell(now).map(|times| (kind.clone(), times)));
        }
        if unsaid.len() >= KINDS && !unsaid.contains_key(&kind) {
            unsaid.retain(|_, of_kind| of_kind.times > 0 || of_kind.is_quiet(now));
        }
        let kind = if unsaid.len() < KINDS || unsaid.contains_key(&kind) { kind } else { rest };
        let of_kind = unsaid.entry(kind.clone()).or_default();
        of_kind.times += 1;
        let times = of_kind.tell(now);
        match (times, told.iter_mut().find(|(told, _)| *told == kind)) {
            (Some(times), _) => told.push((kind, times)),
            // Logged above, together with those before it.
            (None, Some((_, times))) => *times += std::mem::take(&mut of_kind.times),
            (None, None) => {}
        }
        told
    }

    #[cfg(test)]
    pub(crate) fn kinds(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Unsaid {
    fn is_quiet(&self, now: Instant) -> bool {
        self.said.is_some_and(|said| now < said + QUIET)
    }

    /// The count to log now.
    fn tell(&mut self, now: Instant) -> Option<u64> {
        if self.is_quiet(now) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_a_kind_are_one_line() {
        let (quiet, begun) = (Quiet::new(), Instant::now());
        let note = |tenth| quiet.note("a", "rest", begun + QUIET * tenth / 400);
        let lines: Vec<_> = (0..1_000).flat_map(note).collect();
        assert_eq!(lines, [("a", 1), ("a", 400), ("a", 400)], "the first at once, the others by their number");
        let others = quiet.note("b", "rest", begun + QUIET * 10);
        assert_eq!(others, [("a", 199), ("b", 1)], "the last ones are told of when another one comes");
        assert_eq!(quiet.note("b", "rest", begun + QUIET * 11), [("b", 1)], "once");
    }

    #[test]
    fn another_kind_has_a_line_of_its_own_and_kinds_are_bounded() {
        let (quiet, now) = (Quiet::new(), Instant::now());
        let note = |number: usize| quiet.note(number, usize::MAX, now);
        assert!((0..KINDS).all(|number| note(number) == [(number, 1)]));
        assert_eq!((KINDS..10 * KINDS).map(|number| note(number).len()).sum::<usize>(), 1, "one line for all others");
        assert!(quiet.kinds() <= KINDS + 1);
    }
}
