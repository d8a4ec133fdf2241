//! Identifiers.

tongxin_platform::id!(HouseholdId, MemberId, MergeId, RuleSetId, VerdictId, SignalId, WarningId, CaseId, MeasureId);
