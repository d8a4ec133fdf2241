//! Households, and how what is stated of them changes.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tongxin_platform::{change::Change, error::Refusal, named, region::RegionCode};

use super::{
    HouseholdId, MemberId,
    id_number::{self, NotAnIdNumber},
    member::{Member, MemberDraft, Relation},
};

named! {
    /// Social support that a household has.
    pub enum SocialSupport {
        /// None.
        None = "none",
        /// Subsistence allowance (低保).
        Subsistence = "subsistence",
        /// Support for people in extreme difficulty (特困).
        ExtremeDifficulty = "extreme_difficulty",
    }
}

/// What is personal of a household as a whole.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Address within the village; may be empty.
    pub address: SecretString,
    /// Account that aid is paid to; may be empty.
    pub bank_account: SecretString,
}

/// What is stated of a household itself.
#[derive(Debug, Clone)]
pub struct Statement {
    /// National household number.
    pub household_number: Option<String>,
    /// What is personal of it as a whole.
    pub contact: Contact,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
}

/// What is stated of a household when it is registered.
#[derive(Debug, Clone)]
pub struct HouseholdDraft {
    /// Village or community.
    pub region: RegionCode,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    /// What is stated of it itself.
    pub statement: Statement,
    /// Its members, in the order in which they are shown.
    pub members: Vec<MemberDraft>,
}

/// A household with its members.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the household number is a term of its own (户编号)")]
pub struct Household {
    /// Identifier.
    pub id: HouseholdId,
    /// National household number.
    pub household_number: Option<String>,
    /// Village or community.
    pub region: RegionCode,
    /// What is personal of it as a whole.
    pub contact: Contact,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Members who belong to it, the head first; then those who left.
    pub members: Vec<Member>,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    /// When it was registered.
    pub register_time: DateTime<Utc>,
    /// Rises with each change, from 1.
    pub version: i64,
}

/// Of whom something is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Of a new member, who gets this identifier.
    New(MemberId),
    /// Of one who belongs to the household.
    Known(MemberId),
}

/// What happened to a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HouseholdEvent {
    /// What is stated of it or of its members changed.
    Changed,
    /// It moved.
    Moved(Move),
}

/// A move to another village.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The household.
    pub household: HouseholdId,
    /// From where.
    pub from: RegionCode,
    /// To where.
    pub to: RegionCode,
    /// First day on which it lives there.
    pub moved_on: NaiveDate,
}

named! {
    /// Why what is personal is shown.
    pub enum RevealPurpose {
        /// A visit at home.
        HomeVisit = "home_visit",
        /// Payment of aid.
        Payment = "payment",
        /// Comparison with a department's data.
        Comparison = "comparison",
        /// The household asked.
        OwnRequest = "own_request",
        /// Audit or inspection.
        Audit = "audit",
    }
}

/// Why a household cannot be as it is stated. Never holds anything personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(by = why, field = field)]
#[error("{field} {why}")]
pub struct HouseholdRefused {
    /// Path of the field that is wrong.
    pub field: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum Why {
    /// A member's ID number is none.
    #[error(transparent)]
    #[refusal(Invalid, "ID_NUMBER_INVALID")]
    IdNumber(#[from] NotAnIdNumber),
    /// A member is not born yet.
    #[error("holds a day of birth in the future")]
    #[refusal(Invalid, "BIRTH_DATE_IN_FUTURE")]
    BirthDateInFuture,
    /// Two members have one ID number.
    #[error("is the ID number of another member")]
    #[refusal(Invalid, "MEMBER_TWICE")]
    MemberTwice,
    /// There is not exactly one head.
    #[error("need exactly one head, there are {0}")]
    #[refusal(Invalid, "HEAD_NOT_ONE")]
    HeadNotOne(usize),
    /// No head would be left.
    #[error("would leave the household without a head: make another member the head first")]
    #[refusal(FailedPrecondition, "HEAD_NOT_ONE")]
    HeadNeeded,
    /// Nobody of this identifier belongs to the household.
    #[error("names nobody who belongs to the household")]
    #[refusal(NotFound, "MEMBER_NOT_FOUND")]
    MemberNotFound,
    /// An open number would show who it is.
    #[error("holds a resident ID number")]
    #[refusal(Invalid, "INVALID_FIELDS")]
    HoldsIdNumber,
    /// It cannot move before it was registered or moved last.
    #[error("lies before {0}, when the household was registered or moved last")]
    #[refusal(FailedPrecondition, "DATE_ORDER")]
    BeforeLastMove(NaiveDate),
    // Whose number it is may lie outside the caller's region.
    /// Another household of the county has the number.
    #[error("belongs to another household of the county: give another number")]
    #[refusal(AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN", told = LookUp)]
    NumberTaken,
}

impl HouseholdRefused {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, why: impl Into<Why>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

impl Statement {
    fn check(&self) -> Result<(), HouseholdRefused> {
        check_number("household_number", self.household_number.as_deref().unwrap_or_default())
    }
}

/// A household number stands in plain.
fn check_number(field: &str, number: &str) -> Result<(), HouseholdRefused> {
    if id_number::is_in(number) { Err(HouseholdRefused::new(field, Why::HoldsIdNumber)) } else { Ok(()) }
}

impl HouseholdDraft {
    /// The household that is registered at a moment of a day.
    ///
    /// # Errors
    /// When a member stands in it twice or is not born yet, or there is not exactly one head.
    pub fn register(
        self,
        id: HouseholdId,
        mut new_member: impl FnMut() -> MemberId,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<Household, HouseholdRefused> {
        self.statement.check()?;
        let household = Household {
            id,
            region: self.region,
            household_number: self.statement.household_number,
            contact: self.statement.contact,
            lifted_from_poverty: self.statement.lifted_from_poverty,
            support: self.statement.support,
            members: self.members.into_iter().map(|draft| draft.member(new_member())).collect(),
            merged_into: None,
            registered_on: self.registered_on,
            moved_on: None,
            register_time: now,
            version: 1,
        };
        household.check_members(today)?;
        Ok(household)
    }
}

impl Household {
    /// Members who belong to it.
    pub fn present(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| member.is_present())
    }

    /// Its head, while it has one.
    #[must_use]
    pub fn head(&self) -> Option<&Member> {
        self.present().find(|member| member.relation == Relation::Head)
    }

    /// States the household itself anew.
    ///
    /// # Errors
    /// When the household number is somebody's ID number.
    pub fn change(mut self, statement: Statement) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        statement.check()?;
        self.household_number = statement.household_number;
        self.contact = statement.contact;
        self.lifted_from_poverty = statement.lifted_from_poverty;
        self.support = statement.support;
        Ok(self.changed())
    }

    /// Gives it another household number, if there is one, in place of one that is taken where it comes to.
    ///
    /// # Errors
    /// When the number is somebody's ID number.
    pub fn renumber(&mut self, number: Option<String>) -> Result<(), HouseholdRefused> {
        let Some(number) = number else { return Ok(()) };
        check_number("new_household_number", &number)?;
        self.household_number = Some(number);
        Ok(())
    }

    /// Adds a member, or states one of this identifier anew. A new head takes the place of the former one,
    /// whose relation is "other" until it is stated anew.
    ///
    /// # Errors
    /// When nobody of this identifier belongs to it, the ID number is another member's, the member is not
    /// born yet, or no head would be left.
    pub fn set_member(
        mut self,
        whom: Whom,
        draft: MemberDraft,
        today: NaiveDate,
    ) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        let (Whom::New(id) | Whom::Known(id)) = whom;
        let member = draft.member(id);
        if member.birth_date > today {
            return Err(HouseholdRefused::new("member.id_number", Why::BirthDateInFuture));
        }
        if self.present().any(|other| other.id != id && other.is_same_person(&member)) {
            return Err(HouseholdRefused::new("member.id_number", Why::MemberTwice));
        }
        if member.relation == Relation::Head {
            for former in self.members.iter_mut().filter(|other| other.id != id && other.relation == Relation::Head) {
                former.relation = Relation::Other;
            }
        }
        match whom {
            Whom::New(_) => self.members.push(member),
            Whom::Known(_) => *self.present_mut(id)? = member,
        }
        self.check_head("member.relation")?;
        Ok(self.changed())
    }

    /// States that a member left.
    ///
    /// # Errors
    /// When nobody of this identifier belongs to it, or it is the head.
    pub fn remove_member(
        mut self,
        id: MemberId,
        left_on: NaiveDate,
    ) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        self.present_mut(id)?.left_on = Some(left_on);
        self.check_head("member_id")?;
        Ok(self.changed())
    }

    /// Moves it to another village. Nothing happens when it lives there.
    ///
    /// # Errors
    /// When it was registered or moved after that day.
    pub fn move_to(
        mut self,
        to: RegionCode,
        moved_on: NaiveDate,
    ) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        if to == self.region {
            return Ok(Change::none(self));
        }
        let last = self.moved_on.map_or(self.registered_on, |last| last.max(self.registered_on));
        if moved_on < last {
            return Err(HouseholdRefused::new("moved_on", Why::BeforeLastMove(last)));
        }
        let moved = Move { household: self.id, from: self.region, to, moved_on };
        self.region = to;
        self.moved_on = Some(moved_on);
        self.version += 1;
        Ok(Change::one(self, HouseholdEvent::Moved(moved)))
    }

    /// Makes sure that nobody stands in it twice, all are born, and one is the head.
    fn check_members(&self, today: NaiveDate) -> Result<(), HouseholdRefused> {
        let mut seen = HashSet::with_capacity(self.members.len());
        for (place, member) in self.members.iter().enumerate().filter(|(_, member)| member.is_present()) {
            let refuse = |why: Why| Err(HouseholdRefused::new(format!("members[{place}].id_number"), why));
            if member.birth_date > today {
                return refuse(Why::BirthDateInFuture);
            }
            if !seen.insert(member.personal.id_number.expose_secret()) {
                return refuse(Why::MemberTwice);
            }
        }
        match self.present().filter(|member| member.relation == Relation::Head).count() {
            1 => Ok(()),
            heads => Err(HouseholdRefused::new("members", Why::HeadNotOne(heads))),
        }
    }

    pub(super) fn check_head(&self, field: &str) -> Result<(), HouseholdRefused> {
        self.head().map(|_| ()).ok_or_else(|| HouseholdRefused::new(field, Why::HeadNeeded))
    }

    fn present_mut(&mut self, id: MemberId) -> Result<&mut Member, HouseholdRefused> {
        let found = self.members.iter_mut().find(|member| member.id == id && member.is_present());
        found.ok_or_else(|| HouseholdRefused::new("member_id", Why::MemberNotFound))
    }

    fn changed(mut self) -> Change<Self, HouseholdEvent> {
        self.version += 1;
        Change::one(self, HouseholdEvent::Changed)
    }
}
