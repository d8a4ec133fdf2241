//! Households and their changes.

mod likeness;
mod stated;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tongxin_platform::{change::Change, error::Refusal, named, personal::is_masked, region::RegionCode};

use super::{
    HouseholdId, MemberId,
    id_number::{self, NotAnIdNumber},
    member::{Member, MemberDraft, Relation},
};

pub use likeness::Unlike;
pub use stated::{StatedHousehold, StatedMember};

named! {
    pub enum SocialSupport {
        None = "none",
        /// Subsistence allowance (低保).
        Subsistence = "subsistence",
        /// Support for people in extreme difficulty (特困).
        ExtremeDifficulty = "extreme_difficulty",
    }
}

/// Personal data of the household as a whole.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Within the village; may be empty.
    pub address: SecretString,
    /// Account that aid is paid to; may be empty.
    pub bank_account: SecretString,
}

/// Facts about a household itself, without its members.
#[derive(Debug, Clone)]
pub struct Statement {
    /// National household number.
    pub household_number: Option<String>,
    pub contact: Contact,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
}

/// The facts of a household when it is registered.
#[derive(Debug, Clone)]
pub struct HouseholdDraft {
    /// Village or community.
    pub region: RegionCode,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    pub statement: Statement,
    /// In display order.
    pub members: Vec<MemberDraft>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the household number is a term of its own (户编号)")]
pub struct Household {
    pub id: HouseholdId,
    pub household_number: Option<String>,
    /// Village or community.
    pub region: RegionCode,
    pub contact: Contact,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
    /// Present members, the head first; then those who left.
    pub members: Vec<Member>,
    pub merged_into: Option<HouseholdId>,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    pub register_time: DateTime<Utc>,
    /// Rises with each change, from 1.
    pub version: i64,
}

/// The member that data is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// A new member, who gets this identifier.
    New(MemberId),
    /// A present member.
    Known(MemberId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HouseholdEvent {
    /// Data of the household or of its members changed.
    Changed,
    Moved(Move),
}

/// A move to another village.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub household: HouseholdId,
    pub from: RegionCode,
    pub to: RegionCode,
    /// First day in the new village.
    pub moved_on: NaiveDate,
}

named! {
    /// Why personal data is shown.
    pub enum RevealPurpose {
        HomeVisit = "home_visit",
        Payment = "payment",
        /// Comparison with a department's data.
        Comparison = "comparison",
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
    /// Path in the request.
    pub field: String,
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
    /// A household is registered before anybody of it was born.
    #[error("lies before anybody of the household was born")]
    #[refusal(Invalid, "DATE_ORDER")]
    BeforeAnyBirth,
    // The day of birth is personal, so it is not named.
    /// A member leaves before being born.
    #[error("lies before the member was born")]
    #[refusal(FailedPrecondition, "DATE_ORDER")]
    BeforeBirth,
    /// A member leaves before the household was registered.
    #[error("lies before {0}, when the household was registered")]
    #[refusal(FailedPrecondition, "DATE_ORDER")]
    BeforeRegistration(NaiveDate),
    /// It cannot move before it was registered or moved last.
    #[error("lies before {0}, when the household was registered or moved last")]
    #[refusal(FailedPrecondition, "DATE_ORDER")]
    BeforeLastMove(NaiveDate),
    // The holder of the number may be outside the caller's region.
    /// Another household of the county has the number.
    #[error("belongs to another household of the county: give another number")]
    #[refusal(AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN", told = LookUp)]
    NumberTaken,
    /// An earlier row of a dry run would get the number.
    #[error("stands in an earlier row: give another number")]
    #[refusal(AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN")]
    NumberPromised,
    /// A value has a * in it: what is hidden is not stored.
    #[error("is masked: state the whole value")]
    #[refusal(Invalid, "MASKED_VALUE")]
    Masked,
    /// Something is left out.
    #[error("is required")]
    #[refusal(Invalid, "INVALID_FIELDS")]
    Missing,
}

impl HouseholdRefused {
    pub fn new(field: impl Into<String>, why: impl Into<Why>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

impl Statement {
    fn check(&self) -> Result<(), HouseholdRefused> {
        check_number("household_number", self.household_number.as_deref().unwrap_or_default())?;
        let Contact { address, bank_account } = &self.contact;
        check_whole(|| "address".to_owned(), address)?;
        check_whole(|| "bank_account".to_owned(), bank_account)
    }
}

/// Checks that a value is not masked: what is hidden of it must not take the place of what is kept.
fn check_whole(field: impl FnOnce() -> String, value: &SecretString) -> Result<(), HouseholdRefused> {
    if is_masked(value.expose_secret()) { Err(HouseholdRefused::new(field(), Why::Masked)) } else { Ok(()) }
}

/// Household numbers are stored in plain text, so they must not be ID numbers.
fn check_number(field: &str, number: &str) -> Result<(), HouseholdRefused> {
    if id_number::is_in(number) { Err(HouseholdRefused::new(field, Why::HoldsIdNumber)) } else { Ok(()) }
}

impl HouseholdDraft {
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
        if household.members.iter().all(|member| household.registered_on < member.birth_date) {
            return Err(HouseholdRefused::new("registered_on", Why::BeforeAnyBirth));
        }
        Ok(household)
    }
}

impl Household {
    pub fn present(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| member.is_present())
    }

    #[must_use]
    pub fn head(&self) -> Option<&Member> {
        self.present().find(|member| member.relation == Relation::Head)
    }

    /// Replaces the facts about the household itself.
    pub fn change(mut self, statement: Statement) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        statement.check()?;
        self.household_number = statement.household_number;
        self.contact = statement.contact;
        self.lifted_from_poverty = statement.lifted_from_poverty;
        self.support = statement.support;
        Ok(self.changed())
    }

    /// Replaces the household number, if a new one is given, because the old one is taken in the new county.
    pub fn renumber(&mut self, number: Option<String>) -> Result<(), HouseholdRefused> {
        let Some(number) = number else { return Ok(()) };
        check_number("new_household_number", &number)?;
        self.household_number = Some(number);
        Ok(())
    }

    /// Adds a member, or replaces the data of one. A new head replaces the former one, whose relation becomes "other".
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

    /// Records that a member left, on a day on which it could have belonged to the household. The head cannot leave.
    pub fn remove_member(
        mut self,
        id: MemberId,
        left_on: NaiveDate,
    ) -> Result<Change<Self, HouseholdEvent>, HouseholdRefused> {
        let registered_on = self.registered_on;
        let member = self.present_mut(id)?;
        if left_on < member.birth_date {
            return Err(HouseholdRefused::new("left_on", Why::BeforeBirth));
        }
        if left_on < registered_on {
            return Err(HouseholdRefused::new("left_on", Why::BeforeRegistration(registered_on)));
        }
        member.left_on = Some(left_on);
        self.check_head("member_id")?;
        Ok(self.changed())
    }

    /// Moves it to another village; does nothing if it lives there already.
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

    /// Checks that nobody is in it twice, everybody is born, and exactly one member is the head.
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
