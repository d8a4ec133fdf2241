//! Effects of events.

use tongxin_platform::consumer::HandlerError;
use tongxin_proto::POOL;

use crate::domain::fact::Fact;

#[derive(Debug, Default)]
pub(super) struct Effects {
    pub facts: Vec<Fact>,
}

/// Skips an event that has no effect. An event that the contract does not know waits for a newer gateway.
pub(super) fn pass_over(event_type: &str) -> Result<(), HandlerError> {
    match POOL.get_message_by_name(event_type) {
        Some(_) => Ok(()),
        None => Err(HandlerError::reject(format!("the contract does not know the event {event_type}"))),
    }
}
