//! Responses to changing requests, and what is stored of them.

use prost::Message;
use sqlx::PgConnection;
use tongxin_proto::personal::Personal;

use super::{RequestError, answers::Earlier};
use crate::error::Refusal;

/// A response to a changing request, which is stored without its personal fields.
///
/// A service implements this for each of its responses: how the personal fields are read again.
/// [`plain_answers`](crate::plain_answers) does it for responses without personal fields.
pub trait Answer<Policy>: Message + Default + Clone + Personal + 'static {
    /// Errors of reading.
    type Error: Refusal + From<RequestError> + From<sqlx::Error> + Send;

    /// Fills in the personal fields, as the record is now and as far as the transaction may see it; others stay empty.
    /// Changes nothing else.
    fn refill(
        &mut self,
        conn: &mut PgConnection,
        policy: &Policy,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Implements [`Answer`](crate::request::Answer) for responses without personal fields; fails to compile if one has
/// any. `SomeResponse { field: Domain }` also makes the response of what a command returns.
#[macro_export]
macro_rules! plain_answers {
    ($policy:ty, $error:ty: $($answer:ty $({ $field:ident: $made:ty })?),+ $(,)?) => {$(
        impl $crate::request::Answer<$policy> for $answer {
            type Error = $error;

            async fn refill(&mut self, _: &mut ::sqlx::PgConnection, _: &$policy) -> Result<(), $error> {
                const { assert!(!<$answer as $crate::request::Personal>::ANY, "has to be filled in again") };
                Ok(())
            }
        }

        $(impl From<$made> for $answer {
            fn from(made: $made) -> Self {
                Self { $field: Some(made.into()) }
            }
        })?
    )+};
}

/// The stored form of a response.
pub(super) fn kept<Reply: Message + Clone + Personal>(answer: &Reply) -> Vec<u8> {
    if !Reply::ANY {
        return answer.encode_to_vec();
    }
    let mut without = answer.clone();
    without.strip();
    without.encode_to_vec()
}

/// The stored response, refilled in a transaction that sees what the caller may see now.
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
