//! Requests that come in parts, and those that can be told from others. The build writes who is one.

use prost::Message;

use crate::{Keyed, batch, rules::Rules};

/// A request that its caller gave an identifier to.
pub trait Identified {
    /// The identifier.
    fn request_id(&self) -> &str;
}

/// A message of a stream of rows: the first one holds options, the others rows.
pub trait Parts: Message + Default + Send + 'static {
    /// How the rows are to be taken.
    type Options: Message + Default;
    /// A row.
    type Row: Message + Rules + Keyed + Default + Clone + Send + 'static;

    /// What it holds.
    fn take_apart(self) -> Option<Part<Self::Options, Self::Row>>;

    /// The first message.
    fn of_options(options: Self::Options) -> Self;

    /// One of the others; the number of the first row is left out where the rows have none.
    fn of_rows(first_row: i64, rows: Vec<Self::Row>) -> Self;
}

/// What a message of a stream of rows holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<Options, Row> {
    /// How the rows are to be taken.
    Options(Options),
    /// Some rows.
    Rows {
        /// Number of the first, from 1; 0 where they have none.
        first_row: i64,
        /// The rows.
        rows: Vec<Row>,
    },
}

/// An answer to a batch.
pub trait HasOutcome: From<batch::v1::Outcome> {
    /// What became of its rows.
    fn into_outcome(self) -> batch::v1::Outcome;
}
