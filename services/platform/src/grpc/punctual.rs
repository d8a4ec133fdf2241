//! The deadline that a caller states in `grpc-timeout`.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use http::HeaderMap;
use tokio::time::{Instant, sleep_until};

/// tonic enforces the same deadline, but answers in gRPC even if the request had another form, and without a reason. So
/// ours ends earlier than its timers, which count milliseconds.
const SOONER: Duration = Duration::from_millis(2);

/// The deadline of a request, if it has one.
#[derive(Debug, Clone, Copy)]
pub struct StatedTime(Option<Instant>);

impl StatedTime {
    /// The deadline of a request that arrived just now.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        Self(stated_timeout(headers).map(|stated| Instant::now() + stated.saturating_sub(SOONER)))
    }

    /// The result of some work within the deadline; `None` if it passes first.
    pub async fn bound<Work: Future>(self, work: Work) -> Option<Work::Output> {
        let Some(moment) = self.0 else { return Some(work.await) };
        let (mut work, mut over) = (pin!(work), pin!(sleep_until(moment)));
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            // A timer whose time has passed may fire a moment later; tonic's might be first.
            if Instant::now() >= moment { Poll::Ready(None) } else { over.as_mut().poll(context).map(|()| None) }
        })
        .await
    }
}

/// The timeout of a request, if it has one: at most eight digits and a unit.
pub(super) fn stated_timeout(headers: &HeaderMap) -> Option<Duration> {
    let stated = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = stated.split_at_checked(stated.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok()?;
    let unit = match unit {
        "H" => Duration::from_hours(1),
        "M" => Duration::from_mins(1),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    // 99,999,999 hours exceed the range of moments.
    Some(unit.saturating_mul(number).min(Duration::from_hours(24)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_grpc_states_it() {
        let read = |text: &str| {
            let headers =
                http::HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), text.parse().unwrap())]);
            stated_timeout(&headers)
        };
        for (text, expected) in [
            ("2S", Some(Duration::from_secs(2))),
            ("1500m", Some(Duration::from_millis(1_500))),
            ("7u", Some(Duration::from_micros(7))),
            ("3n", Some(Duration::from_nanos(3))),
            ("1M", Some(Duration::from_mins(1))),
            ("99999999H", Some(Duration::from_hours(24))),
            ("", None),
            ("S", None),
            ("-1S", None),
            ("1s", None),
            ("99999999999S", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(stated_timeout(&http::HeaderMap::new()), None);
    }
}
