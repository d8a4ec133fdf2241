//! Messages of the broker that could not be proven, until the log is read.

use std::collections::HashMap;

use super::{Envelope, cursor::Cursor};

/// What the broker delivered, by the number that it claimed.
#[derive(Default)]
pub(super) struct Doubted {
    by_seq: HashMap<i64, Vec<Envelope>>,
    refused: u64,
}

impl Doubted {
    pub fn new(claims: Vec<Envelope>) -> Self {
        let mut doubted = Self::default();
        for claim in claims {
            doubted.by_seq.entry(claim.seq).or_default().push(claim);
        }
        doubted
    }

    /// Compares them with events of the log.
    pub fn compare(&mut self, events: &[Envelope]) {
        for event in events {
            if self.by_seq.is_empty() {
                return;
            }
            let claims = self.by_seq.remove(&event.seq).unwrap_or_default();
            self.refused += claims.iter().filter(|claim| *claim != event).count() as u64;
        }
    }

    /// How many the log does not have: events that differ from those of their numbers, or have numbers beyond its head.
    pub fn refused(self, reached: &Cursor) -> u64 {
        let beyond = self.by_seq.into_values().flatten().filter(|claim| claim.place() > reached.place());
        self.refused + beyond.count() as u64
    }
}
