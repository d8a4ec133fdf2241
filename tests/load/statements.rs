//! The services' own statements, as they were compiled: whoever runs them bare runs those of today.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde::Deserialize;

/// What `cargo sqlx prepare` keeps of a statement.
#[derive(Deserialize)]
struct Prepared {
    query: String,
}

/// The one statement of a crate in which these words stand, blanks aside. It stays for the whole run.
pub fn of(service: &str, words: &str) -> anyhow::Result<&'static str> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services").join(service).join(".sqlx");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let Prepared { query } = serde_json::from_slice(&fs::read(entry?.path())?)?;
        if query.split_whitespace().collect::<Vec<_>>().join(" ").contains(words) {
            found.push(query);
        }
    }
    anyhow::ensure!(found.len() == 1, "{} statements of {service} say {words:?}", found.len());
    Ok(found.remove(0).leak())
}
