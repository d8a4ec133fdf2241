//! The only place that reads the time.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SubsecRound as _, Utc};

/// Asia/Shanghai has had one offset and no daylight saving since 1991.
const SHANGHAI: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset");

/// The time of the machine, or one that a test has set.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stays at `now` until it is [`set`](Self::set).
    #[must_use]
    pub fn fixed(now: DateTime<Utc>) -> Self {
        Self(Source::Fixed(Arc::new(Mutex::new(now))))
    }

    /// Sets a fixed clock; does nothing to the machine's clock.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Source::Fixed(time) = &self.0 {
            *time.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
        }
    }

    /// The current time, in microseconds like in Postgres.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Source::System => Utc::now(),
            Source::Fixed(time) => *time.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        now.trunc_subsecs(6)
    }

    /// The current business date.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        business_date(self.now())
    }
}

/// A moment for people: date and time in Asia/Shanghai, to the second.
#[must_use]
pub fn local_time(moment: DateTime<Utc>) -> String {
    moment.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The date in Asia/Shanghai at a moment.
#[must_use]
pub fn business_date(moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&SHANGHAI).date_naive()
}

/// The moment at which a business day begins.
#[must_use]
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    (day.and_time(NaiveTime::MIN) - SHANGHAI).and_utc()
}

/// A moment as a protobuf timestamp.
#[must_use]
pub fn timestamp(moment: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: moment.timestamp(), nanos: moment.timestamp_subsec_nanos().cast_signed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_business_day_begins_at_16_hours_utc() {
        let before = DateTime::parse_from_rfc3339("2025-12-30T15:59:59Z").unwrap();
        let after = DateTime::parse_from_rfc3339("2025-12-30T16:00:00Z").unwrap();
        assert_eq!(business_date(before.into()).to_string(), "2025-12-30");
        assert_eq!(business_date(after.into()).to_string(), "2025-12-31");
        assert_eq!(start_of(business_date(after.into())), after);
    }

    #[test]
    fn a_moment_survives_postgres() {
        let clock = Clock::fixed(DateTime::from_timestamp(1, 123_456_789).unwrap());
        assert_eq!(clock.now().timestamp_subsec_nanos(), 123_456_000);
    }
}
