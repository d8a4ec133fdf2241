//! Signs that households are at risk.

use chrono::NaiveDate;
use tongxin_platform::{named, region::RegionCode};

use super::{HouseholdId, RuleSetId, VerdictId, risk::Risk};

named! {
    /// A department that warns.
    pub enum Department {
        /// Civil affairs.
        CivilAffairs = "civil_affairs",
        /// Medical insurance.
        MedicalInsurance = "medical_insurance",
        /// Education.
        Education = "education",
        /// Disabled persons' federation.
        DisabledPersonsFederation = "disabled_persons_federation",
        /// Human resources and social security.
        HumanResources = "human_resources",
        /// Emergency management.
        EmergencyManagement = "emergency_management",
        /// Health.
        Health = "health",
        /// Housing and construction.
        Housing = "housing",
        /// Water resources.
        Water = "water",
        /// Agriculture and rural affairs.
        Agriculture = "agriculture",
        /// Public security.
        PublicSecurity = "public_security",
        /// Justice and petitions.
        Justice = "justice",
        /// Women's federation, youth league, trade union.
        MassOrganisation = "mass_organisation",
    }
}

/// How a report came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The household asked for itself.
    SelfReport,
    /// Cadres found it on their rounds.
    Sweep,
    /// A department warned.
    Warning(Department),
    /// A screening rule hit.
    Screening {
        /// The verdict.
        verdict: VerdictId,
        /// The rule set.
        rule_set: RuleSetId,
        /// The rule's number.
        rule_number: i32,
    },
}

/// A report that a household is at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    /// What it is at risk of.
    pub cause: Risk,
    /// How the report came in.
    pub origin: Origin,
    /// Business date of the report.
    pub reported_on: NaiveDate,
}
