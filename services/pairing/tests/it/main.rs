//! What pairing does, seen through its door.

mod activities;
mod at_once;
mod bad_input;
mod batches;
mod coverage;
mod deadlines;
mod editions;
mod imports;
mod malformed;
mod organisations;
mod pairings;
mod plain_texts;
mod plans;
mod row_imports;
mod rules;
mod support;
mod texts;
mod voids;
