//! Rows of the contract in CSV and XLSX files, as spreadsheets leave them.
//!
//! | module | |
//! |---|---|
//! | `form`  | the columns of a kind of row, from the contract |
//! | `read`  | files: their lines, the header, rows, what is stated twice |
//! | `kinds` | the rows that files hold |
//! | `write` | rows, templates, and what was refused, as files |
//! | `cell`  | a cell as a value of the contract |
//! | `fault`, `said` | what is wrong, and where; the same in English and Chinese |

mod cell;
mod fault;
mod form;
mod kinds;
mod lang;
mod read;
mod said;
mod write;

pub use cell::Cell;
pub use fault::{Fault, Found, Place};
pub use form::{Column, Form};
pub use kinds::FileRow;
pub use lang::Lang;
pub use read::{Choice, Columns, Line, Row, RowRead, lines, open, read};
pub use write::{Output, RejectsError, WriteError, rejects, template};
