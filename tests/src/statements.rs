//! The services' own statements, as they were compiled: whoever runs them bare runs those of today.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// A statement of a crate, by words that stand in no other of it.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    service: &'static str,
    words: &'static str,
    /// Number of its parameters: whoever binds them relies on it.
    parameters: usize,
}

const fn statement(service: &'static str, words: &'static str, parameters: usize) -> Statement {
    Statement { service, words, parameters }
}

/// Appends events.
pub const APPEND: Statement = statement("platform", "INSERT INTO event", 10);

/// What `EstablishPairing` says, in its order.
pub const ESTABLISH_PAIRING: [Statement; 10] = [
    statement("platform", "answer, asked_from FROM request", 3),
    statement("pairing", "SELECT pg_advisory_xact_lock($1, key) FROM unnest", 2),
    statement("pairing", "FROM organisation WHERE organisation_id = ANY($1)", 1),
    statement("pairing", "SELECT pg_advisory_xact_lock_shared($1, 0), pg_advisory_xact_lock", 3),
    statement("pairing", "SELECT rules FROM coverage_rules", 0),
    statement("pairing", "FROM pairing WHERE supporter_id = ANY($1) UNION", 3),
    statement("pairing", "FROM assistance WHERE level = 'village' AND region_code = ANY", 1),
    statement("pairing", "INSERT INTO pairing", 11),
    APPEND,
    statement("platform", "INSERT INTO request", 8),
];

/// What `cargo sqlx prepare` keeps of a statement.
#[derive(Deserialize)]
struct Prepared {
    query: String,
    describe: Description,
}

#[derive(Deserialize)]
struct Description {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Left")]
    types: Vec<serde_json::Value>,
}

impl Statement {
    /// Its SQL. It stays for the whole run.
    ///
    /// # Errors
    /// If not exactly one statement of the crate has these words, or it has other parameters.
    pub fn read(self) -> anyhow::Result<&'static str> {
        let Self { service, words, parameters } = self;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services").join(service).join(".sqlx");
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let prepared: Prepared = serde_json::from_slice(&fs::read(entry?.path())?)?;
            if prepared.query.split_whitespace().collect::<Vec<_>>().join(" ").contains(words) {
                found.push(prepared);
            }
        }
        ensure!(found.len() == 1, "{} statements of {service} say {words:?}", found.len());
        let Prepared { query, describe } = found.remove(0);
        let types = describe.parameters.types.len();
        ensure!(types == parameters, "{words:?} has {types} parameters, not {parameters}");
        Ok(query.leak())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make bench` runs too seldom to be the one that finds it out.
    #[test]
    fn the_statements_that_the_bench_runs_are_those_of_the_services() {
        for statement in ESTABLISH_PAIRING {
            statement.read().unwrap();
        }
    }
}
