//! Background work that no caller waits for.

mod matcher;

pub use matcher::Matcher;
