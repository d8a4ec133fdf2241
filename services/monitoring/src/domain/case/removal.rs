//! How a household leaves monitoring.

use tongxin_platform::named;

named! {
    /// How a household leaves monitoring.
    pub enum RemovalKind {
        /// By assistance.
        Assisted = "assisted",
        /// By itself.
        Natural = "natural",
    }
}

/// A removal that is under way, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// How the household leaves.
    pub kind: RemovalKind,
    /// Who proposed it.
    pub proposed_by: String,
}
