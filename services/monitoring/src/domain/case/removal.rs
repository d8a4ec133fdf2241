//! How a household leaves monitoring.

use tongxin_platform::named;

named! {
    pub enum RemovalKind {
        Assisted = "assisted",
        /// By itself.
        Natural = "natural",
    }
}

/// A removal in progress or completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub kind: RemovalKind,
    pub proposed_by: String,
}
