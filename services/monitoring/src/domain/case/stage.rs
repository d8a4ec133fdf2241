//! How far a case has come: each stage has the data that only it has.

use chrono::NaiveDate;
use tongxin_platform::named;

use super::{Due, Removal};

/// How far a case has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// On the way to identification.
    Identifying {
        /// The step that is next.
        next: Due,
    },
    /// Under monitoring.
    Monitored {
        /// Day of identification.
        identified_on: NaiveDate,
    },
    /// On the way to removal; still under monitoring.
    Removing {
        /// Day of identification.
        identified_on: NaiveDate,
        /// The removal.
        removal: Removal,
        /// The step that is next.
        next: Due,
    },
    /// Removed.
    Removed {
        /// Day of identification.
        identified_on: NaiveDate,
        /// The removal.
        removal: Removal,
        /// Day of removal.
        removed_on: NaiveDate,
    },
    /// Refused on the way to identification.
    Refused,
}

named! {
    /// The stages, without what they hold.
    pub enum StageName {
        /// On the way to identification.
        Identifying = "identifying",
        /// Under monitoring.
        Monitored = "monitored",
        /// On the way to removal.
        Removing = "removing",
        /// Removed.
        Removed = "removed",
        /// Refused.
        Refused = "refused",
    }
}

impl Stage {
    /// Its name.
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

    /// The step that is next.
    #[must_use]
    pub const fn next(&self) -> Option<Due> {
        match self {
            Self::Identifying { next } | Self::Removing { next, .. } => Some(*next),
            Self::Monitored { .. } | Self::Removed { .. } | Self::Refused => None,
        }
    }

    /// Day of identification.
    #[must_use]
    pub const fn identified_on(&self) -> Option<NaiveDate> {
        match self {
            Self::Monitored { identified_on }
            | Self::Removing { identified_on, .. }
            | Self::Removed { identified_on, .. } => Some(*identified_on),
            Self::Identifying { .. } | Self::Refused => None,
        }
    }

    /// Day of removal.
    #[must_use]
    pub const fn removed_on(&self) -> Option<NaiveDate> {
        match self {
            Self::Removed { removed_on, .. } => Some(*removed_on),
            Self::Identifying { .. } | Self::Monitored { .. } | Self::Removing { .. } | Self::Refused => None,
        }
    }

    /// The removal that is under way, or was.
    #[must_use]
    pub const fn removal(&self) -> Option<&Removal> {
        match self {
            Self::Removing { removal, .. } | Self::Removed { removal, .. } => Some(removal),
            Self::Identifying { .. } | Self::Monitored { .. } | Self::Refused => None,
        }
    }

    /// Whether nothing more is done in it: a removed case can only be rolled back.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Removed { .. } | Self::Refused)
    }
}
