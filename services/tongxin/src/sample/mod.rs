//! The sample year: made from a register and the published figures, loaded as any client would, and compared with
//! what was published.
//!
//! | file | |
//! |---|---|
//! | `files`  | what lies in deploy/sample/qingyuan-2025 |
//! | `chance` | a row of numbers that follows from a seed |
//! | `names`  | names of organisations |
//! | `year`   | the organisations, pairings and activities |
//! | `monitoring` | households, what became of them, and what villages earned |
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
