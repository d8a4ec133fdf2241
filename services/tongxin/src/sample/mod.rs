//! The sample year: generated from a register and the published figures, loaded like any client would, and compared
//! with the published figures.
//!
//! | file | |
//! |---|---|
//! | `files`  | the files of deploy/sample/qingyuan-2025 |
//! | `chance` | random numbers from a seed |
//! | `names`  | names of organisations |
//! | `year`   | the organisations, pairings and activities |
//! | `monitoring` | households, their cases, and the income of villages |
//! | `load`   | loads all of it through the gateway |
//! | `check`  | compares the scorecard with the published figures |

mod chance;
mod check;
mod files;
mod load;
mod monitoring;
mod names;
mod year;

pub use check::compare;
pub use files::{Files, SampleName};
pub use load::load;
pub use monitoring::Kept;
pub use year::Year;
