//! What the toy refuses.

use tongxin_platform::error::Refusal;

/// Everything that can go wrong in the toy.
pub type Error = tongxin_platform::error::Error<Refused>;

/// What the toy refuses.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "toy.tongxin")]
pub enum Refused {
    /// More was taken back than was counted.
    #[error("{reached} were counted, so they cannot become {0} fewer", by.unsigned_abs())]
    #[refusal(FailedPrecondition, "TALLY_BELOW_ZERO", field = "by")]
    BelowZero {
        /// What the counts came to.
        reached: i64,
        /// By how much they were to be lowered.
        by: i64,
    },
}
