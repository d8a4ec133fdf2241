//! Stages of a case, each with its own data.

use chrono::NaiveDate;
use tongxin_platform::named;

use super::{Due, Removal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Identifying {
        next: Due,
    },
    Monitored {
        identified_on: NaiveDate,
    },
    /// Still under monitoring.
    Removing {
        identified_on: NaiveDate,
        removal: Removal,
        next: Due,
    },
    Removed {
        identified_on: NaiveDate,
        removal: Removal,
        removed_on: NaiveDate,
    },
    /// Identification was refused.
    Refused,
}

named! {
    /// Stages without their data.
    pub enum StageName {
        Identifying = "identifying",
        Monitored = "monitored",
        Removing = "removing",
        Removed = "removed",
        Refused = "refused",
    }
}

impl Stage {
    #[must_use]
    pub const fn name(&self) -> StageName {
        match self {
            Self::Identifying { .. } => StageName::Identifying,
            Self::Monitored { .. } => StageName::Monitored,
            Self::Removing { .. } => StageName::Removing,
            Self::Removed { .. } => StageName::Removed,
            Self::Refused => StageName::Refused,
        }
    }

    #[must_use]
    pub const fn next(&self) -> Option<Due> {
        match self {
            Self::Identifying { next } | Self::Removing { next, .. } => Some(*next),
            Self::Monitored { .. } | Self::Removed { .. } | Self::Refused => None,
        }
    }

    #[must_use]
    pub const fn identified_on(&self) -> Option<NaiveDate> {
        match self {
            Self::Monitored { identified_on }
            | Self::Removing { identified_on, .. }
            | Self::Removed { identified_on, .. } => Some(*identified_on),
            Self::Identifying { .. } | Self::Refused => None,
        }
    }

    #[must_use]
    pub const fn removed_on(&self) -> Option<NaiveDate> {
        match self {
            Self::Removed { removed_on, .. } => Some(*removed_on),
            Self::Identifying { .. } | Self::Monitored { .. } | Self::Removing { .. } | Self::Refused => None,
        }
    }

    /// The removal in progress or completed.
    #[must_use]
    pub const fn removal(&self) -> Option<&Removal> {
        match self {
            Self::Removing { removal, .. } | Self::Removed { removal, .. } => Some(removal),
            Self::Identifying { .. } | Self::Monitored { .. } | Self::Refused => None,
        }
    }

    /// Whether nothing more can be done, except to roll back a removal.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Removed { .. } | Self::Refused)
    }
}
