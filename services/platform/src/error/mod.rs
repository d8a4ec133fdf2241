//! Errors and how callers see them: a service defines its refusals, everything else is the same in every service.

mod chain;
pub mod common;
mod kind;
mod refusal;
mod service;
mod status;

pub(crate) use chain::stated_of_database;
pub use chain::{chain, database_kind};
pub use common::COMMON;
pub use kind::ErrorKind;
pub use refusal::{Listed, Refusal, ServiceRefusal, Stated};
pub use service::Error;
pub use tongxin_macros::Refusal;
