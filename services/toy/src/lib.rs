//! A toy service: tallies of what is counted in villages. It is the template of a service, and platform's tests run it.
//!
//! | room | what is in it |
//! |---|---|
//! | `config` | every setting with its default |
//! | `app` | puts the service together |
//! | `error` | what can go wrong, and what the caller is told |
//! | `grpc` | door 1: translates requests and answers |
//! | `commands` | the changes, one file for each verb |
//! | `domain` | the rules, without I/O |
//! | `store` | the only SQL |

mod app;
mod commands;
mod config;
mod domain;
mod error;
mod grpc;
mod store;

pub use app::KIND;
pub use config::Config;
pub use error::{Error, Refused};
