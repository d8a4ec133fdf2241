//! Each room of a service mentions only what it may, and platform no service at all.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    imports::{Imports, SQL},
    root, rust_files,
};

/// A room, and what its code does not mention: crates, modules of them, rooms of its own crate.
struct Room {
    name: &'static str,
    forbidden: &'static [&'static str],
}

const ROOMS: [Room; 7] = [
    Room {
        name: "domain",
        forbidden: &[
            SQL,
            "sqlx",
            "tonic",
            "tonic_types",
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
    },
    Room {
        name: "store",
        forbidden: &[
            "tonic",
            "tonic_types",
            "async_nats",
            "crate::commands",
            "crate::grpc",
            "crate::consumers",
            "crate::workers",
            "crate::proxy",
        ],
    },
    Room {
        name: "commands",
        forbidden: &[
            SQL,
            "tonic",
            "tonic_types",
            "prost",
            "tongxin_proto",
            "async_nats",
            "crate::grpc",
            "crate::consumers",
            "crate::workers",
        ],
    },
    Room {
        name: "consumers",
        forbidden: &[SQL, "tonic", "tonic_types", "async_nats", "crate::grpc", "crate::workers", "crate::proxy"],
    },
    Room {
        name: "workers",
        forbidden: &[
            SQL,
            "tonic",
            "tonic_types",
            "prost",
            "tongxin_proto",
            "async_nats",
            "crate::grpc",
            "crate::consumers",
        ],
    },
    Room {
        name: "grpc",
        forbidden: &[SQL, "async_nats", "tongxin_platform::log", "crate::consumers", "crate::workers", "crate::proxy"],
    },
    Room { name: "proxy", forbidden: &[SQL, "sqlx", "async_nats", "crate::store", "crate::consumers"] },
];

/// Rooms that a service need not have.
const OPTIONAL: [&str; 5] = ["consumers", "workers", "proxy", "commands", "domain"];

/// What the rooms of a crate mention although they must not.
fn strays(src: &Path) -> Vec<String> {
    let imports = Imports::of(src);
    let is_of = |mention: &str, word: &str| {
        mention.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let in_room = |room: &Room| {
        let found = imports.mentions(room.name);
        let found = found.filter(|(_, mention)| room.forbidden.iter().any(|word| is_of(mention, word)));
        found.map(|(module, mention)| format!("{}: {module} mentions {mention}", src.display())).collect::<Vec<_>>()
    };
    ROOMS.iter().flat_map(in_room).collect()
}

/// The crates that are services: those with rooms.
fn services() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("services")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    crates.filter(|src| src.join("store").is_dir() && src.join("grpc").is_dir()).collect()
}

#[test]
fn each_room_mentions_only_what_it_may() {
    let services = services();
    for room in ROOMS.iter().filter(|room| !OPTIONAL.contains(&room.name)) {
        let without: Vec<_> = services.iter().filter(|src| !src.join(room.name).is_dir()).collect();
        assert!(without.is_empty(), "they have no {}: {without:#?}", room.name);
    }
    let strays: Vec<_> = services.iter().flat_map(|src| strays(src)).collect();
    assert!(strays.is_empty(), "{strays:#?}");
}

/// However it is written, and wherever in a file.
#[test]
fn what_a_room_must_not_mention_is_found_in_groups_macros_texts_and_behind_tests() {
    let crate_folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(crate_folder.path().join(name), text).unwrap();
    let found = || {
        let strays = strays(crate_folder.path());
        strays.iter().map(|text| text.rsplit(' ').next().unwrap().to_owned()).collect::<BTreeSet<String>>()
    };
    write("lib.rs", "mod domain; mod grpc; mod store;");
    write("store.rs", "pub struct Row; fn query() { sqlx::query!(\"SELECT 1\") }");
    write("grpc.rs", "#[cfg(test)]\nmod tests { fn a() { \"SELECT 1\" } }\n#[test] fn b() { \"SELECT 1\" }");
    write("domain.rs", "//! UPDATE of tonic::Status\n/// INSERT INTO crate::store\npub struct Rule;");
    assert_eq!(found(), BTreeSet::new());

    write(
        "domain.rs",
        "#[cfg(test)] mod tests {}\nuse crate::{domain, store::{self, Row}};\n#[derive(sqlx::Type)] struct A;",
    );
    write("grpc.rs", "fn a() { log!(\"DELETE FROM x\", async_nats::Client) } fn b(_: super::consumers::B) {}");
    let expected =
        ["crate::store", "crate::store::Row", "sqlx::Type", "SQL", "async_nats::Client", "crate::consumers::B"];
    assert_eq!(found(), expected.map(str::to_owned).into());
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
