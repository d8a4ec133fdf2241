//! Changing requests: each is carried out once, whatever happens on the way.

mod answer;
mod answers;
pub mod batch;
mod call;
mod error;
mod keys;
mod window;
mod writer;

pub use answer::Answer;
pub use call::{Call, Context};
pub use error::RequestError;
pub use keys::{RequestKeyError, RequestKeyFiles, RequestKeys};
pub use tongxin_proto::personal::Personal;
pub use window::{DateRefused, EntryWindow};
pub use writer::{Command, Writer};
