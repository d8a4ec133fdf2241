//! Rules as CEL expressions without loops: parsed by crate `cel`, type-checked and compiled here when they are
//! stored, so that a household is checked in a fraction of a microsecond and nothing can go wrong but arithmetic.

mod check;
mod error;
mod expression;
mod fields;
mod inputs;
mod message;
mod parse;
#[cfg(test)]
pub mod tests;
pub mod tree;
mod types;

pub use error::CompileError;
pub use expression::Expression;
pub use fields::{FieldSet, Flag, Number, Word};
pub use inputs::Inputs;
pub use message::Message;
pub use tree::EvalError;
pub use types::Type;
