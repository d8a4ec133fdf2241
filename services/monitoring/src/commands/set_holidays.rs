//! States the holidays of a year.

use sqlx::PgConnection;
use tongxin_platform::{
    region::Level,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::holiday::{self, Holiday},
    error::Error,
    store::{holidays, region},
};

/// States the holidays of a year in place of those stated before. They are those of all regions, so who states them
/// answers for a province.
pub struct SetHolidays {
    /// The year.
    pub year: i32,
    /// Its holidays.
    pub holidays: Vec<Holiday>,
}

/// How many days were stated.
pub struct DaysStated(pub usize);

impl Command for SetHolidays {
    type Policy = Policy;
    type Output = DaysStated;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<DaysStated, Error> {
        let of_caller = region(context.regions.from)?;
        if of_caller.level() != Level::Province {
            return Err(Error::HolidaysElsewhere(of_caller));
        }
        holiday::check(self.year, &self.holidays)?;
        holidays::replace(conn, context, self.year, &self.holidays).await?;
        Ok(DaysStated(self.holidays.len()))
    }
}
