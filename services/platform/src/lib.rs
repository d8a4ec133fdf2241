//! What every service is built from. It knows regions, tokens, logs and transactions, and
//! nothing of what they are about.
//!
//! A request comes through the door of [`grpc`], which asks [`access`] who calls. A change is
//! carried out by [`request`], in a transaction of [`db`] that sees the caller's region, and what
//! happened goes into [`log`]. The log's relay hands events to NATS, and a [`consumer`] in another
//! service keeps what follows from them. [`lifecycle`] starts and stops the parts.
//!
//! The feature `testing` is for tests of other crates: databases, tokens and certificates, on the private servers of
//! `tongxin-servers`.

// The derives of tongxin-macros name this crate as services know it.
extern crate self as tongxin_platform;

pub mod access;
pub mod admin;
pub mod broker;
pub mod change;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod day;
pub mod db;
pub mod error;
pub mod grpc;
mod ids;
pub mod import;
pub mod lease;
pub mod lifecycle;
pub mod limit;
pub mod log;
mod log_file;
pub mod money;
mod names;
pub mod page;
pub mod personal;
pub mod region;
pub mod register;
pub mod request;
pub mod secret;
pub mod service;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod timeline;
pub mod whole_file;
pub mod worker;
