//! The monitoring service: households at risk, from the first signal to an elimination that can be believed.
//!
//! | room | what is in it |
//! |---|---|
//! | `config` | every setting with its default |
//! | `app` | puts the service together |
//! | `error` | what can go wrong, and what the caller is told |
//! | `grpc` | door 1: translates requests and answers, one file for each service of the contract |
//! | `workers` | door 2: what is done without anybody asking for it |
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
mod workers;

pub use app::KIND;
pub use config::Config;
pub use error::{Error, Refused};
pub use grpc::check_rule_set;
