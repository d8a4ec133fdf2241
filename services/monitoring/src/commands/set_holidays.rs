//! Sets the holidays of a year.

use sqlx::PgConnection;
use tongxin_platform::{
    region::{Level, RegionCode},
    register::RegionRefused,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::holiday::{self, Holiday},
    error::{Error, Refused},
    store::{holidays, region},
};

/// Replaces the holidays of a province and year. They apply to the whole province, so the caller answers for all of it.
pub struct SetHolidays {
    /// The province; `None` for that of the caller's region.
    pub province: Option<RegionCode>,
    pub year: i32,
    pub holidays: Vec<Holiday>,
}

/// Number of days.
pub struct DaysStated(pub usize);

impl Command for SetHolidays {
    type Policy = Policy;
    type Output = DaysStated;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<DaysStated, Error> {
        let of_caller = region(context.regions.from)?;
        let province = self.province.or(of_caller.at(Level::Province)).unwrap_or(of_caller);
        if province.level() != Level::Province {
            return Err(Refused::RegionLevelWrong(province.to_string()).into());
        }
        if province.range().and(context.regions) != province.range() {
            return Err(if province.contains(of_caller) {
                Refused::HolidaysElsewhere(of_caller).into()
            } else {
                RegionRefused::NotFound(province).into()
            });
        }
        holiday::check(self.year, &self.holidays)?;
        holidays::replace(conn, context, (province, self.year), &self.holidays).await?;
        Ok(DaysStated(self.holidays.len()))
    }
}
