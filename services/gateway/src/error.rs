//! What the gateway refuses.

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, region::NotARegionCode};

/// Everything that can go wrong with figures.
pub type Error = tongxin_platform::error::Error<Refused>;

/// Questions about figures that the gateway does not answer.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "gateway.tongxin")]
pub enum Refused {
    /// Text that names no region.
    #[error(transparent)]
    #[refusal(Invalid, "REGION_CODE_INVALID", field = "region_code")]
    NotARegion(#[from] NotARegionCode),

    /// The day has not come yet.
    #[error("{0} is in the future: figures are known up to today")]
    #[refusal(Invalid, "DATE_IN_FUTURE", field = "as_of")]
    DateInFuture(NaiveDate),

    /// Numbers that name no day.
    #[error("as_of is no day of the calendar: year, month and day are needed")]
    #[refusal(Invalid, "DATE_INVALID", field = "as_of")]
    NotADate,
}
