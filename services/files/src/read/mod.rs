//! Reads files: CSV and XLSX as lines of cells, and these as rows of the contract.

mod columns;
mod csv;
mod decode;
mod guard;
mod header;
mod line;
mod open;
mod quotes;
mod rows;
mod twice;
mod xlsx;

pub use columns::Columns;
pub use line::{Choice, Line};
pub use open::{lines, open};
pub use rows::{Row, RowRead, read};

#[cfg(test)]
mod tests;
