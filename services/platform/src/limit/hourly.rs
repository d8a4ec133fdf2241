//! What is limited, and how often it is allowed.

use serde::{Deserialize, Serialize};

/// Look-ups and reveals that a subject may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HourlyLimits {
    /// Look-ups per hour; one that finds nothing counts twice. 0 allows none.
    pub look_ups_per_hour: u32,
    /// Reveals per hour. 0 allows none.
    pub reveals_per_hour: u32,
}

impl Default for HourlyLimits {
    fn default() -> Self {
        Self { look_ups_per_hour: 200, reveals_per_hour: 100 }
    }
}

impl HourlyLimits {
    /// The larger of both, for each limit.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        Self {
            look_ups_per_hour: self.look_ups_per_hour.max(other.look_ups_per_hour),
            reveals_per_hour: self.reveals_per_hour.max(other.reveals_per_hour),
        }
    }
}

/// A limited action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Asking whether a person, or something of a person, is known.
    LookUp,
    /// Seeing personal data unmasked.
    Reveal,
}

impl Limited {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LookUp => "look_up",
            Self::Reveal => "reveal",
        }
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::LookUp => "LOOK_UP_LIMIT",
            Self::Reveal => "REVEAL_LIMIT",
        }
    }

    pub(super) fn most(self, limits: HourlyLimits) -> u32 {
        match self {
            Self::LookUp => limits.look_ups_per_hour,
            Self::Reveal => limits.reveals_per_hour,
        }
    }
}
