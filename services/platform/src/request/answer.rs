//! What changing requests are answered with, and what of it is kept.

use prost::Message;
use sqlx::PgConnection;
use tongxin_proto::personal::Personal;

use super::{RequestError, answers::Earlier};
use crate::error::Refusal;

/// An answer to a changing request, which is kept without what is personal of it.
///
/// A service says of each of its answers, by implementing this, how what was left out is read again.
/// [`plain_answers`](crate::plain_answers) says of some that they hold nothing personal.
pub trait Answer<Policy>: Message + Default + Clone + Personal + 'static {
    /// What can go wrong with reading.
    type Error: Refusal + From<RequestError> + From<sqlx::Error> + Send;

    /// Fills in what is personal, as the record is now and as the transaction may see it; what is not to be seen, or no longer
    /// there, stays empty. Changes nothing else.
    fn refill(
        &mut self,
        conn: &mut PgConnection,
        policy: &Policy,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// States that answers hold nothing personal; fails to compile if one does.
#[macro_export]
macro_rules! plain_answers {
    ($policy:ty, $error:ty: $($answer:ty),+ $(,)?) => {$(
        impl $crate::request::Answer<$policy> for $answer {
            type Error = $error;

            async fn refill(&mut self, _: &mut ::sqlx::PgConnection, _: &$policy) -> Result<(), $error> {
                const { assert!(!<$answer as $crate::request::Personal>::ANY, "has to be filled in again") };
                Ok(())
            }
        }
    )+};
}

/// The bytes that are kept of an answer.
pub(super) fn kept<Reply: Message + Clone + Personal>(answer: &Reply) -> Vec<u8> {
    if !Reply::ANY {
        return answer.encode_to_vec();
    }
    let mut without = answer.clone();
    without.strip();
    without.encode_to_vec()
}

/// The answer that was given before, in a transaction that sees what the caller may see now.
pub(super) async fn again<Policy, Reply: Answer<Policy>>(
    conn: &mut PgConnection,
    earlier: Earlier,
    policy: &Policy,
) -> Result<Option<Reply>, Reply::Error> {
    let bytes = match earlier {
        Earlier::Unknown => return Ok(None),
        Earlier::Answered(bytes) => bytes,
        Earlier::Other => return Err(RequestError::Reused.into()),
    };
    let mut answer = Reply::decode(bytes.as_slice()).map_err(RequestError::from)?;
    if Reply::ANY {
        answer.refill(conn, policy).await?;
    }
    Ok(Some(answer))
}
