//! Why a request's messages broke off, for layers that only see that they did.

use std::sync::{Arc, OnceLock};

use tonic::Status;

/// The fault in the messages of a call, once it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<OnceLock<Status>>);

impl Fault {
    /// The first one is kept.
    pub(super) fn is(&self, status: Status) {
        let _ = self.0.set(status);
    }

    pub(super) fn found(&self) -> Option<Status> {
        self.0.get().cloned()
    }
}
