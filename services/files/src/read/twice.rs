//! What a file states twice.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

/// The lines in which something was stated first, by what it is about: 16 bytes for each row of a file.
#[derive(Debug, Default)]
pub(super) struct Stated {
    /// By a hash of 64 bits with a random key: two of a million rows share one once in thirty million files.
    lines: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Stated {
    /// The line that stated the same before, if any.
    pub fn before(&mut self, key: &[u8], line: u64) -> Option<u64> {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        match self.lines.entry(self.hasher.hash_one(key)) {
            std::collections::hash_map::Entry::Occupied(first) => Some(u64::from(*first.get())),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(line);
                None
            }
        }
    }
}
