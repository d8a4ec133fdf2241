//! Facts: contributions of events to indicators.

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

use super::indicators::Indicator;

/// A contribution of an event to an indicator, and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The indicator.
    pub indicator: &'static Indicator,
    /// Where it counts. If the indicator adds up, it counts in every region above, too.
    pub region: RegionCode,
    /// First day on which it counts.
    pub occurred_on: NaiveDate,
    /// The amount that it adds.
    pub amount: i64,
    /// The counted thing: the identifier of an organisation, or a village's code.
    pub subject: String,
    /// The service that published the event.
    pub source: &'static str,
    /// Epoch of that service's log.
    pub epoch: i64,
    /// Number of the event in that log.
    pub seq: i64,
    /// Position among the facts of that event.
    pub position: i32,
    /// Identifier of the event.
    pub event_id: Uuid,
}
