//! The refusal of a caller that has reached its limit.

use std::time::Duration;

use super::Limited;
use crate::error::{ErrorKind, Listed, Refusal, Stated};

/// A subject's hourly limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {most} {} an hour is reached: try again in {} s", plural(*.what), retry_after.as_secs())]
pub struct LimitReached {
    /// The action.
    pub what: Limited,
    /// The limit per hour.
    pub most: u32,
    /// Time until the subject's next hour begins, in whole seconds, at least one.
    pub retry_after: Duration,
}

impl Refusal for LimitReached {
    fn stated(&self) -> Stated<'_> {
        Stated { retry_after: Some(self.retry_after), ..Stated::new(ErrorKind::ResourceExhausted, self.what.reason()) }
    }

    fn all() -> Vec<Listed> {
        let listed = |what: Limited, when| Listed { kind: ErrorKind::ResourceExhausted, reason: what.reason(), when };
        vec![
            listed(Limited::LookUp, "The subject has looked up as often as it may within an hour."),
            listed(Limited::Reveal, "The subject has had data revealed as often as it may within an hour."),
        ]
    }
}

fn plural(what: Limited) -> &'static str {
    match what {
        Limited::LookUp => "look-ups",
        Limited::Reveal => "reveals",
    }
}
