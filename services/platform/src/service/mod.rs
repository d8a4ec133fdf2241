//! A service: what the program knows of it, how it is put together, and how it starts.
//!
//! | file | |
//! |---|---|
//! | `kind`    | what the program knows of a service before it reads the settings |
//! | `kinds`   | which services go together |
//! | `section` | its section of the settings |
//! | `builder` | its parts: what it answers, follows and does |
//! | `app`     | all of it, listening |
//! | `error`   | why it does not start |

mod app;
mod builder;
mod error;
mod kind;
mod kinds;
mod section;

pub use app::App;
pub use builder::{Service, Shared};
pub use error::StartError;
pub use kind::{Configured, Follows, Kind, Needs, Read};
pub use kinds::{KindsError, check, followed};
pub use section::{Build, Faults, Section};
