//! A file of whatever kind, line by line.

use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
};

use super::{
    csv,
    line::{Choice, Visit, read_fully, unreadable, whole},
    xlsx,
};
use crate::{
    fault::{Fault, Found},
    form::Form,
};

/// Hands each line of a file to `visit`, from the first; empty ones may be left out. Memory
/// does not depend on the size of the file.
///
/// `form` is whose headings tell which character separates the fields of a CSV file.
///
/// # Errors
/// If the file cannot be read on: a fault of all of it.
pub fn lines(mut file: impl Read + Seek, form: &Form, choice: &Choice, visit: &mut Visit<'_>) -> Result<(), Fault> {
    let mut begin = [0; 8];
    let read = read_fully(&mut file, &mut begin)?;
    file.rewind().map_err(|error| unreadable(&error))?;
    match &begin[..read] {
        [] => Err(whole(Found::Empty)),
        [b'P', b'K', 3, 4, ..] => xlsx::lines(file, form, choice, visit),
        // The container of old workbooks, and of encrypted new ones.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(whole(Found::NotAWorkbook)),
        // Pages that other systems export under the name of a workbook.
        [b'%', b'P', b'D', b'F', ..] | [b'<', ..] => Err(whole(Found::OtherKind)),
        _ => csv::lines(file, form, visit),
    }
}

/// Opens a file.
///
/// # Errors
/// If that fails.
pub fn open(path: &Path) -> Result<File, Fault> {
    // Opening a pipe would wait for its other end.
    let is_file = path.metadata().map_err(|error| unreadable(&error))?.is_file();
    if !is_file {
        return Err(whole(Found::NotAFile));
    }
    if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"~$")) {
        return Err(whole(Found::LockFile));
    }
    File::open(path).map_err(|error| unreadable(&error))
}
