//! What sealed bytes begin with.

use std::fmt;
use std::num::NonZeroU32;

use super::Suite;

pub(super) const FORMAT: u8 = 1;
pub(super) const HEADER_LEN: usize = 6;

/// The version of a key, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct KeyVersion(NonZeroU32);

impl KeyVersion {
    /// The version of a first key.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The version with this number; there is no version 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number, from 1 on.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What sealed bytes say about themselves before they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The ciphers that sealed it.
    pub suite: Suite,

    /// The key that sealed it: a data key for a field, a master key for a wrapped data key.
    pub key_version: KeyVersion,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [a, b, c, d] = self.key_version.get().to_be_bytes();
        [FORMAT, self.suite.id(), a, b, c, d]
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key version {}", self.suite, self.key_version)
    }
}
