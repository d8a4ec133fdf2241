//! The changes: one file for each verb. Load, decide, save.

mod count;

pub use count::{Count, CountDraft};

/// What the toy decides by: nothing that its settings say.
#[derive(Debug)]
pub struct Policy;
