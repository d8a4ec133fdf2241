//! What every service refuses of a region.

use chrono::NaiveDate;

use crate::{error::Refusal, region::RegionCode};

/// Why something is not done in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum RegionRefused {
    /// The region is not registered, or lies outside the caller's.
    #[error("region {0} does not exist: look at ListRegions, or import an edition of the register that has it")]
    #[refusal(NotFound, "REGION_NOT_FOUND", field = "region_code")]
    NotFound(RegionCode),

    /// The code of the region is withdrawn on the day on which something is to start there.
    #[error("the code {region} was withdrawn from {from} on: start earlier, or name the region that it became")]
    #[refusal(FailedPrecondition, "REGION_WITHDRAWN", field = "region_code")]
    Withdrawn {
        /// The region.
        region: RegionCode,
        /// First day on which its code is not valid.
        from: NaiveDate,
    },
}

/// Why a region is not had.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] RegionRefused),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
