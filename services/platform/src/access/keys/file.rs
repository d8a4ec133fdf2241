//! Reads key files.

use std::{fs, path::Path};

use super::error::KeyError;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
}
