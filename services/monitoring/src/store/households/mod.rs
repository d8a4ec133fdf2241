//! Households, with their members.

mod heads;
mod search;
mod whole;
mod write;

pub use heads::{Head, Listed, find_head, list, lock, lock_free, lock_head, state_looked_up, state_revealed};
pub use search::{Index, search};
pub use whole::{find, find_many, head_name};
pub(super) use write::write;
pub use write::{add, save};
