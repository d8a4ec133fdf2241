//! Each room of a service mentions only what it may, and platform no service at all.

use std::{collections::BTreeSet, fs, path::Path};

use super::{root, rust_files};

/// What belongs to the store alone.
const SQL: [&str; 8] =
    ["query!", "query_as!", "query_scalar!", "sqlx::query", "SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"];

/// A room, and what its code does not mention; where SQL may stand is said apart.
struct Room {
    name: &'static str,
    forbidden: &'static [&'static str],
    sql: bool,
}

const ROOMS: [Room; 7] = [
    Room {
        name: "domain",
        forbidden: &[
            "sqlx",
            "tonic::",
            "tokio",
            "prost",
            "async_nats",
            "tongxin_proto",
            "crate::store",
            "crate::grpc",
            "crate::commands",
            "crate::consumers",
            "crate::workers",
            "crate::proxy",
        ],
        sql: false,
    },
    Room {
        name: "store",
        forbidden: &[
            "tonic",
            "async_nats",
            "crate::commands",
            "crate::grpc",
            "crate::consumers",
            "crate::workers",
            "crate::proxy",
        ],
        sql: true,
    },
    Room {
        name: "commands",
        forbidden: &[
            "tonic",
            "prost",
            "tongxin_proto",
            "async_nats",
            "crate::grpc",
            "crate::consumers",
            "crate::workers",
        ],
        sql: false,
    },
    Room {
        name: "consumers",
        forbidden: &["tonic::Status", "async_nats", "crate::grpc", "crate::workers", "crate::proxy"],
        sql: false,
    },
    Room {
        name: "workers",
        forbidden: &["tonic", "prost", "tongxin_proto", "async_nats", "crate::grpc", "crate::consumers"],
        sql: false,
    },
    Room {
        name: "grpc",
        forbidden: &["async_nats", "platform::log", "crate::consumers", "crate::workers", "crate::proxy"],
        sql: false,
    },
    Room { name: "proxy", forbidden: &["sqlx", "async_nats", "crate::store", "crate::consumers"], sql: false },
];

/// Rooms that a service need not have.
const OPTIONAL: [&str; 5] = ["consumers", "workers", "proxy", "commands", "domain"];

/// The code of a file: no comments, and nothing of tests that stand at its end.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn is_of_tests(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}

/// The crates that are services: those with rooms.
fn services() -> Vec<std::path::PathBuf> {
    let crates = fs::read_dir(root().join("services")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    crates.filter(|src| src.join("store").is_dir() && src.join("grpc").is_dir()).collect()
}

#[test]
fn each_room_mentions_only_what_it_may() {
    let mut strays = Vec::new();
    for service in services() {
        for room in &ROOMS {
            let folder = service.join(room.name);
            if !folder.is_dir() {
                assert!(OPTIONAL.contains(&room.name), "{} has no {}", service.display(), room.name);
                continue;
            }
            for path in rust_files(&folder).into_iter().filter(|path| !is_of_tests(path)) {
                let sql = if room.sql { &[][..] } else { &SQL[..] };
                let words: Vec<_> = room.forbidden.iter().chain(sql).collect();
                for line in code(&path) {
                    let found = words.iter().filter(|word| line.contains(**word));
                    strays.extend(found.map(|word| format!("{} mentions {word}: {}", path.display(), line.trim())));
                }
            }
        }
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn platform_names_no_service_and_nothing_of_theirs() {
    let services: BTreeSet<String> = services()
        .iter()
        .filter_map(|src| Some(src.parent()?.file_name()?.to_str()?.to_owned()))
        .filter(|name| !["gateway", "toy"].contains(&name.as_str()))
        .collect();
    assert!(services.contains("pairing"), "{services:?}");
    let words = services.into_iter().chain(["household".to_owned()]).collect::<Vec<_>>();
    let mut strays = Vec::new();
    for path in rust_files(&root().join("services/platform/src")) {
        let text = fs::read_to_string(&path).unwrap();
        let found = text.lines().filter(|line| words.iter().any(|word| line.to_lowercase().contains(word.as_str())));
        strays.extend(found.map(|line| format!("{}: {}", path.display(), line.trim())));
    }
    assert!(strays.is_empty(), "{strays:#?}");
}
