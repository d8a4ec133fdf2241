//! Households.

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use tongxin_platform::{named, region::RegionCode};

use super::{HouseholdId, member::Member};

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

/// A household with its members.
#[derive(Debug, Clone)]
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
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    /// When it was registered.
    pub register_time: DateTime<Utc>,
    /// Rises with each change, from 1.
    pub version: i64,
}

impl Household {
    /// Members who belong to it.
    pub fn present(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| member.left_on.is_none())
    }
}

/// A household that moves to another village.
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
