//! Changes that callers ask for: carried out once, whatever happens on the way.

mod answer;
mod answers;
pub mod batch;
mod call;
mod keys;
mod window;
mod writer;

pub use answer::Answer;
pub use call::{Call, Context};
pub use keys::{RequestKeyError, RequestKeyFiles, RequestKeys};
pub use tongxin_proto::personal::Personal;
pub use window::{DateRefused, EntryWindow};
pub use writer::{Command, RequestError, Writer};
