//! Events that are proven to be the next ones of the source's log.
//!
//! The chain has no key, so anybody who can publish can also compute its next hash. What counts is the hash that the
//! source's log has for the number of the last event: if the chain over all of them ends there, each of them is the
//! log's.

use super::{Envelope, cursor::Cursor};

/// Events that follow a cursor, if what they claim is true.
pub(super) struct Claim {
    from: Cursor,
    events: Vec<Envelope>,
    /// The chain hash after each event.
    hashes: Vec<[u8; 32]>,
}

impl Claim {
    /// Computes the chain over events that [`follow`] the cursor.
    pub fn over(from: Cursor, events: Vec<Envelope>) -> Self {
        let mut hashes: Vec<[u8; 32]> = Vec::with_capacity(events.len());
        for event in &events {
            let hash = event.link(hashes.last().map_or(&from.hash[..], |hash| &hash[..]));
            hashes.push(hash);
        }
        Self { from, events, hashes }
    }

    /// Accepts the events if their chain ends in the log's hash, or returns them.
    pub fn ends_in(self, stated: &[u8]) -> Result<Proven, Vec<Envelope>> {
        match self.hashes.last() {
            Some(last) if last == stated => Ok(Proven(self)),
            _ => Err(self.events),
        }
    }
}

/// Whether events have the numbers that come after a cursor, each once. False for none.
pub(super) fn follow(from: &Cursor, events: &[Envelope]) -> bool {
    let numbered = events.iter().zip(from.seq + 1..).all(|(event, seq)| event.place() == (from.epoch, seq));
    numbered && !events.is_empty()
}

/// Events that are the next ones of the log.
pub(super) struct Proven(Claim);

impl Proven {
    pub fn all(&self) -> Slice<'_> {
        let Claim { from, events, hashes } = &self.0;
        Slice { from: from.clone(), events, to_hash: hashes.last().map_or(&[][..], |hash| &hash[..]) }
    }

    pub fn one_by_one(&self) -> impl Iterator<Item = Slice<'_>> {
        let Claim { from, events, hashes } = &self.0;
        let mut from = from.clone();
        events.iter().zip(hashes).map(move |(event, hash)| {
            let slice = Slice { from: from.clone(), events: std::slice::from_ref(event), to_hash: hash };
            from = slice.to();
            slice
        })
    }
}

/// Some of the next events of the log, and the cursor that they follow.
pub(super) struct Slice<'proven> {
    pub from: Cursor,
    pub events: &'proven [Envelope],
    to_hash: &'proven [u8],
}

impl Slice<'_> {
    /// The cursor after them.
    pub fn to(&self) -> Cursor {
        let seq = self.events.last().map_or(self.from.seq, |event| event.seq);
        Cursor { epoch: self.from.epoch, seq, hash: self.to_hash.to_vec() }
    }
}
