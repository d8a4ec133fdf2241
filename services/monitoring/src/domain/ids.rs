//! Identifiers.

use std::fmt;

use uuid::Uuid;

macro_rules! id {
    ($($(#[$about:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )+};
}

id!(
    /// Identifies a household.
    HouseholdId,
    /// Identifies a member of a household.
    MemberId,
    /// Identifies a merge of two records.
    MergeId,
    /// Identifies a rule set.
    RuleSetId,
    /// Identifies a verdict.
    VerdictId,
    /// Identifies a signal.
    SignalId,
    /// Identifies a warning.
    WarningId,
    /// Identifies a case.
    CaseId,
    /// Identifies a measure.
    MeasureId,
);
