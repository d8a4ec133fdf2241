//! The catalogue: every indicator once, one file for each service whose events are counted.

mod breakdown;
mod catalogue;
mod indicator;
pub mod monitoring;
pub mod pairing;

pub use breakdown::Breakdown;
pub use catalogue::CATALOGUE;
pub use indicator::{Indicator, Kind};
