//! Errors as lines of the log, and classification of Postgres errors.

use std::{borrow::Cow, error::Error as StdError};

use sqlx::postgres::PgDatabaseError;

use super::{ErrorKind, Stated, common};

/// An error and its causes in one line, with the SQLSTATE of what Postgres said.
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut sql_state = sql_state(error);
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Transparent wrappers repeat the text of what they wrap.
        if !text.ends_with(&cause_text) {
            text += ": ";
            text += &cause_text;
        }
        sql_state = sql_state.or_else(|| self::sql_state(cause));
        source = cause.source();
    }
    match sql_state {
        Some(code) => format!("{text} [SQLSTATE {code}]"),
        None => text,
    }
}

fn sql_state(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<PgDatabaseError>() {
        return Some(error.code().to_owned());
    }
    let error = error.downcast_ref::<sqlx::Error>()?.as_database_error()?;
    error.code().map(Cow::into_owned)
}

/// Whether the database was unreachable rather than at fault, so that a retry may help.
#[must_use]
pub fn database_kind(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::BeginFailed => {
            ErrorKind::Unavailable
        }
        // Classes 08 (connection), 40 (rolled back), 53 (resources), 55 (lock), 57 (intervention).
        sqlx::Error::Database(error) => match error.code().as_deref().and_then(|code| code.get(..2)) {
            Some("08" | "40" | "53" | "55" | "57") => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

/// What callers are told of a database error.
pub(crate) fn stated_of_database(error: &sqlx::Error) -> Stated<'static> {
    match database_kind(error) {
        ErrorKind::Unavailable => common::UNAVAILABLE.stated(),
        _ => common::INTERNAL.stated(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tells_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading secret.txt failed")]
        struct Broken(#[source] std::io::Error);

        assert_eq!(chain(&Broken(std::io::Error::other("no such disk"))), "reading secret.txt failed: no such disk");
    }
}
