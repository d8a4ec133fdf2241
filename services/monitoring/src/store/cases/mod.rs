//! Cases and their histories.

mod lists;
mod read;
mod write;

pub use lists::{DayKey, Filter, Overdue, list, overdue};
pub use read::{find, households_of, of_households};
pub use write::{move_to, save};
