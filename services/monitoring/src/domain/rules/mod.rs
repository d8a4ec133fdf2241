//! Rules as CEL expressions without loops. Crate `cel` parses them; they are type-checked and compiled here when they
//! are stored, so that evaluating one takes a fraction of a microsecond and only arithmetic can fail.

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
