//! Two records of one household that are made one, and parted again.

#[cfg(test)]
mod tests;

use chrono::{Days, NaiveDate};
use tongxin_platform::error::Refusal;

use super::{
    HouseholdId, MemberId, MergeId,
    household::{self, Household, Why},
    member::Relation,
};

/// Days after a merge until which it can be undone.
const REVERSIBLE_DAYS: u64 = 30;

/// What is taken over from the record that is merged.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Members, by their identifiers there.
    pub members: Vec<MemberId>,
    /// Observations of windows that the kept record has none of.
    pub observations: bool,
    /// The national household number, if the kept record has none.
    pub household_number: bool,
    /// What it gets in place of a number that is taken in its county.
    pub new_household_number: Option<String>,
}

/// A member that was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its identifier in the merged record.
    pub was: MemberId,
    /// Its identifier in the kept one.
    pub is: MemberId,
}

/// A merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Identifier.
    pub id: MergeId,
    /// The household that was kept.
    pub kept: HouseholdId,
    /// The household that was merged into it.
    pub merged: HouseholdId,
    /// Business date.
    pub merged_on: NaiveDate,
    /// Members that were taken over.
    pub members: Vec<Taken>,
    /// Last days of the windows whose observations were taken over.
    pub windows: Vec<NaiveDate>,
    /// Whether the household number was.
    pub household_number: bool,
    /// Day on which it was undone.
    pub undone_on: Option<NaiveDate>,
}

/// Both records and the merge, after a change.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The record that is kept.
    pub kept: Household,
    /// The record that is merged into it, or was.
    pub merged: Household,
    /// The merge.
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

    /// Makes sure that it can be undone on a day.
    ///
    /// # Errors
    /// When it is too late.
    pub fn check_reversible(&self, today: NaiveDate) -> Result<(), MergeRefused> {
        let until = self.reversible_until();
        if today > until { Err(MergeRefused::Final(until)) } else { Ok(()) }
    }
}

impl Household {
    /// Merges another record of this household into it. Windows of observations are not known here.
    ///
    /// # Errors
    /// When a member to be taken over does not belong to the other record, or stands in this one already.
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
            // The head of the household is the head of the record that is kept.
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
    /// Parts the records: what was taken over goes away from the kept one, and the other one is as it was
    /// before the merge.
    ///
    /// # Errors
    /// When the head of the kept record is a member that was taken over.
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
