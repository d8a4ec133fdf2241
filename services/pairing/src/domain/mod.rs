//! The rules: what an organisation, a pairing and coverage are, and how they change. Pure.

pub mod activity;
pub mod book;
pub mod coverage;
pub mod credit_code;
mod ids;
pub mod likeness;
pub mod organisation;
pub mod pairing;
pub mod period;
pub mod register;
pub mod tally;

pub use ids::{ActivityId, OrganisationId, PairingId};
