//! What events lead to.

use tongxin_platform::consumer::HandlerError;
use tongxin_proto::POOL;

use crate::domain::fact::Fact;

/// What events lead to.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub facts: Vec<Fact>,
}

/// An event that adds nothing is passed over; one that the contract does not know waits until a
/// newer gateway knows it.
pub(super) fn pass_over(event_type: &str) -> Result<(), HandlerError> {
    match POOL.get_message_by_name(event_type) {
        Some(_) => Ok(()),
        None => Err(HandlerError::reject(format!("the contract does not know the event {event_type}"))),
    }
}
