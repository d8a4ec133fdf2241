//! The pairing service: regions, organisations, who is paired with whom, and coverage.
//!
//! | room | what is in it |
//! |---|---|
//! | `config` | every setting with its default |
//! | `app` | puts the service together |
//! | `error` | what can go wrong, and what the caller is told |
//! | `grpc` | the door: translates requests and answers |
//! | `commands` | the changes, one file for each verb |
//! | `domain` | the rules, without I/O |
//! | `store` | the only SQL |

mod app;
mod commands;
pub mod config;
mod domain;
pub mod error;
mod grpc;
mod store;

pub use app::KIND;
pub use config::Config;
pub use domain::{
    coverage::{CoverageRule, CoverageRules, Need},
    organisation::OrganisationKind,
    pairing::PairingKind,
};
pub use error::{Error, Refused};
