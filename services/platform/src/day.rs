//! Days in settings and files.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de};
use tongxin_proto::{NotADay, read_day, text::tidy};

/// A day that a setting or a file states, in one of the forms that people write ([`read_day`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Day(pub NaiveDate);

impl Day {
    /// Reads a day, whatever nobody sees around it.
    ///
    /// # Errors
    /// What is needed instead.
    pub fn read(text: &str) -> Result<Self, NotADay> {
        read_day(&tidy(text)).map(Self)
    }
}

impl From<Day> for NaiveDate {
    fn from(Day(day): Day) -> Self {
        day
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

/// Deserializes a field that is a [`NaiveDate`].
///
/// # Errors
/// As [`Day::read`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    Day::deserialize(deserializer).map(NaiveDate::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_in_the_forms_of_people_and_in_no_other() {
        let day = NaiveDate::from_ymd_opt(2025, 1, 5).unwrap();
        for text in [r#""2025-01-05""#, r#""2025/1/5""#, r#"" 2025年1月5日\u200e""#] {
            assert_eq!(serde_json::from_str::<Day>(text).unwrap(), Day(day), "{text}");
        }
        let error = serde_json::from_str::<Day>(r#""25-01-05""#).unwrap_err().to_string();
        assert!(error.starts_with(r#""25-01-05": a day such as 2025-12-31 is needed"#), "{error}");
        assert!(serde_json::from_str::<Day>("45662").is_err());
        assert_eq!(serde_json::to_string(&Day(day)).unwrap(), r#""2025-01-05""#);
    }
}
