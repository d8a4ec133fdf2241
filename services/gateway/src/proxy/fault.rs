//! Why what a caller sends broke off, for those behind who only see that it did.

use std::sync::{Arc, OnceLock};

use tonic::Status;

/// What was wrong with the messages of a call, once that is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<OnceLock<Status>>);

impl Fault {
    /// The first one counts.
    pub(super) fn is(&self, status: Status) {
        let _ = self.0.set(status);
    }

    pub(super) fn found(&self) -> Option<Status> {
        self.0.get().cloned()
    }
}
