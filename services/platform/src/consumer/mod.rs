//! Projects the log of another service.
//!
//! JetStream delivers quickly, the source's log delivers reliably. The next event of the log is handled, an older one
//! is dropped, and a gap is read from the log. The broker is not trusted: its events count if their hash chain ends
//! where the log says, and what is read from the log has to continue the chain of the events that were handled.

mod anew;
mod apply;
mod broker;
mod cursor;
mod doubted;
mod envelope;
mod fault;
mod follow;
mod handle;
mod handler;
mod parked;
mod progress;
mod proven;
mod source;

pub use envelope::Envelope;
pub use follow::Consumer;
pub use handler::{EventHandler, HandlerError};
pub use progress::Progress;
pub use source::LogClient;
