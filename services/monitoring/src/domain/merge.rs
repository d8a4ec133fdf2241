//! Merges of two records of one household, and how they are undone.

#[cfg(test)]
mod tests;

use chrono::{Days, NaiveDate};
use tongxin_platform::error::Refusal;

use super::{
    HouseholdId, MemberId, MergeId,
    household::{self, Household, Why},
    member::Relation,
};

/// Number of days after a merge in which it can be undone.
const REVERSIBLE_DAYS: u64 = 30;

/// What is taken over from the merged record.
#[derive(Debug, Clone)]
pub struct Terms {
    /// By their identifiers in the merged record.
    pub members: Vec<MemberId>,
    /// Observations of windows for which the kept record has none.
    pub observations: bool,
    /// The national household number, if the kept record has none.
    pub household_number: bool,
    /// Replaces a household number that is taken in the county of the kept record.
    pub new_household_number: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Identifier in the merged record.
    pub was: MemberId,
    /// Identifier in the kept record.
    pub is: MemberId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    pub id: MergeId,
    pub kept: HouseholdId,
    pub merged: HouseholdId,
    pub merged_on: NaiveDate,
    pub members: Vec<Taken>,
    /// Last days of the windows whose observations were taken over.
    pub windows: Vec<NaiveDate>,
    /// Whether the household number was taken over.
    pub household_number: bool,
    pub undone_on: Option<NaiveDate>,
}

/// Both records after a change, and the merge.
#[derive(Debug, Clone)]
pub struct Pair {
    pub kept: Household,
    pub merged: Household,
    pub merge: Merge,
}

/// Why two records cannot be merged or parted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum MergeRefused {
    /// The merge does not exist, or lies outside the caller's region.
    #[error("the merge does not exist")]
    #[refusal(NotFound, "MERGE_NOT_FOUND", field = "merge_id")]
    NotFound,
    /// Both are one record.
    #[error("a household cannot be merged into itself")]
    #[refusal(Invalid, "HOUSEHOLDS_SAME", field = "merged_id")]
    Same,
    /// The household to be merged is at some step of a case.
    #[error("the household that is to be merged has an open case: end it first, or keep that record")]
    #[refusal(FailedPrecondition, "HOUSEHOLD_HAS_CASE")]
    HasCase,
    /// It is too late.
    #[error("the merge could be undone until {0}")]
    #[refusal(FailedPrecondition, "MERGE_FINAL")]
    Final(NaiveDate),
}

impl Merge {
    /// Last day on which it can be undone.
    #[must_use]
    pub fn reversible_until(&self) -> NaiveDate {
        self.merged_on.checked_add_days(Days::new(REVERSIBLE_DAYS)).unwrap_or(NaiveDate::MAX)
    }

    pub fn check_reversible(&self, today: NaiveDate) -> Result<(), MergeRefused> {
        let until = self.reversible_until();
        if today > until { Err(MergeRefused::Final(until)) } else { Ok(()) }
    }
}

impl Household {
    /// Merges another record of the household into this one. Observations are merged elsewhere.
    pub fn merge(
        mut self,
        mut other: Self,
        terms: &Terms,
        id: MergeId,
        mut new_member: impl FnMut() -> MemberId,
        today: NaiveDate,
    ) -> Result<Pair, household::HouseholdRefused> {
        let mut members = Vec::with_capacity(terms.members.len());
        for (place, was) in terms.members.iter().enumerate() {
            let refuse = |why: Why| household::HouseholdRefused::new(format!("take_members[{place}]"), why);
            let found = other.present().find(|member| member.id == *was);
            let mut member = found.ok_or_else(|| refuse(Why::MemberNotFound))?.clone();
            if self.present().any(|present| present.is_same_person(&member)) {
                return Err(refuse(Why::MemberTwice));
            }
            // The head of the kept record remains the head.
            if member.relation == Relation::Head {
                member.relation = Relation::Other;
            }
            member.id = new_member();
            members.push(Taken { was: *was, is: member.id });
            self.members.push(member);
        }
        let household_number =
            terms.household_number && self.household_number.is_none() && other.household_number.is_some();
        if household_number {
            self.household_number.clone_from(&other.household_number);
            self.renumber(terms.new_household_number.clone())?;
        }
        let merge = Merge {
            id,
            kept: self.id,
            merged: other.id,
            merged_on: today,
            members,
            windows: Vec::new(),
            household_number,
            undone_on: None,
        };
        other.merged_into = Some(self.id);
        self.version += 1;
        other.version += 1;
        Ok(Pair { kept: self, merged: other, merge })
    }
}

impl Pair {
    /// Undoes the merge: everything taken over leaves the kept record, and the other one is restored. Fails if the head
    /// is a member that was taken over.
    pub fn part(mut self, today: NaiveDate) -> Result<Self, household::HouseholdRefused> {
        let taken = |id: MemberId| self.merge.members.iter().any(|member| member.is == id);
        self.kept.members.retain(|member| !taken(member.id));
        self.kept.check_head("merge_id")?;
        if self.merge.household_number && self.kept.household_number == self.merged.household_number {
            self.kept.household_number = None;
        }
        self.merged.merged_into = None;
        self.kept.version += 1;
        self.merged.version += 1;
        self.merge.undone_on = Some(today);
        Ok(self)
    }
}
