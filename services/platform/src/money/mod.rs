//! Money in whole fen, without rounding losses and with checked arithmetic.

mod fen;
mod shares;

pub use fen::Fen;
pub use shares::split_by_shares;

/// Why an amount is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is empty.
    #[error("amount is empty")]
    Empty,

    /// The text is not digits with an optional sign and decimals.
    #[error("amount is not a plain decimal number")]
    NotANumber,

    /// The text has fractions of a fen.
    #[error("amount has more than 2 decimals")]
    TooManyDecimals,

    /// Beyond ±92,233,720,368,547,758.07 yuan.
    #[error("amount is too large")]
    Overflow,

    /// The shares do not add up to the whole.
    #[error("shares add up to {0} basis points instead of 10000")]
    SharesNotWhole(u64),
}
