//! Changes that callers ask for: carried out once, whatever happens on the way.

mod answers;
mod call;
#[cfg(test)]
mod tests;
mod window;
mod writer;

pub use call::{Call, Context};
pub use window::{DateRefused, EntryWindow};
pub use writer::{Command, RequestError, Writer};
