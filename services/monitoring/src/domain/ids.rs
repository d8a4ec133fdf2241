//! Identifiers.

tongxin_platform::id! {
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
}
