//! Changes that callers ask for: carried out once, whatever happens on the way.

mod answers;
mod call;
mod window;
mod writer;
#[cfg(test)]
mod tests;

pub use call::{Call, Context};
pub use window::{DateRefused, EntryWindow};
pub use writer::{Command, RequestError, Writer};
