//! How often per hour a caller may do what reveals something about persons. Counted per subject in the database, so for
//! all replicas together.
//!
//! The hour begins with a subject's first use and ends an hour later; the next use begins another one.

mod hourly;
mod reached;
mod uses;

pub use hourly::{HourlyLimits, Limited};
pub use reached::LimitReached;
pub use uses::{Left, add, left, lock, require, take};
