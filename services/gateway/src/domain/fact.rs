//! What one event adds to one indicator.

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

use super::indicators::Indicator;

/// A contribution of an event to an indicator, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The indicator.
    pub indicator: &'static Indicator,
    /// Where it counts. If the indicator adds up, it counts in every region above as well.
    pub region: RegionCode,
    /// First day on which it counts.
    pub occurred_on: NaiveDate,
    /// What it adds.
    pub amount: i64,
    /// What is counted: the identifier of an organisation, a village's code.
    pub subject: String,
    /// The service that stated it.
    pub source: &'static str,
    /// Epoch of that service's log.
    pub epoch: i64,
    /// Number of the event in that log.
    pub seq: i64,
    /// Place among the facts of that event.
    pub position: i32,
    /// The event.
    pub event_id: Uuid,
}
