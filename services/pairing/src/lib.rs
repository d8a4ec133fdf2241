//! The pairing service: regions, organisations, who is paired with whom, and coverage.
//!
//! | room | what is in it |
//! |---|---|
//! | [`config`] | every setting with its default |
//! | [`app`] | builds and starts the service |
//! | [`error`] | what can go wrong, and what the caller is told |
//! | [`grpc`] | the door: translates requests and answers |
//! | [`commands`] | the changes, one file for each verb |
//! | [`domain`] | the rules, without I/O |
//! | [`store`] | the only SQL |

pub mod app;
pub mod commands;
pub mod config;
pub mod domain;
pub mod error;
pub mod grpc;
pub mod store;

pub use app::{App, NAME, migrations};
pub use config::Config;
pub use error::Error;
