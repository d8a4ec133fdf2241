//! Pages of `proto` that are written from contract and code, and reviewed.

use std::{fs, path::PathBuf};

/// Fails if a page is not as it should be. Writes it first, where a variable says so: `make pages`.
pub fn keep(name: &str, page: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../proto").join(name);
    #[expect(clippy::disallowed_methods, reason = "make says by the environment that the file is to be written")]
    if std::env::var_os("TONGXIN_WRITE_PAGES").is_some() {
        fs::write(&file, page).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(kept == page, "proto/{name} is not that of contract and code: run `make pages`");
}
