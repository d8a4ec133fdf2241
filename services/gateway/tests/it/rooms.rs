//! Keeps the walls between the rooms: each mentions only what it may.

use std::{fs, path::Path};

/// A room, and what its lines must not mention.
const ROOMS: [(&str, &[&str]); 4] = [
    ("domain", &["sqlx", "tonic::", "tokio", "tongxin_proto::", "crate::store", "crate::grpc", "crate::consumers"]),
    ("store", &["tonic", "tongxin_proto", "crate::grpc", "crate::consumers", "crate::proxy"]),
    ("grpc", &["sqlx::query", "crate::consumers", "crate::proxy", "async_nats"]),
    ("consumers", &["sqlx::query", "crate::grpc", "crate::proxy", "async_nats"]),
];

/// SQL stands in the store and nowhere else.
const SQL: [&str; 4] = ["query!", "query_as!", "query_scalar!", "sqlx::query"];

#[test]
fn each_room_mentions_only_what_it_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, forbidden) in ROOMS {
        let found = mentions(&src.join(room), forbidden);
        assert!(found.is_empty(), "{room} must not mention:\n{}", found.join("\n"));
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let strayed: Vec<_> = mentions(&src, &SQL).into_iter().filter(|line| !line.contains("/src/store/")).collect();
    assert!(strayed.is_empty(), "SQL outside of the store:\n{}", strayed.join("\n"));
}

/// Lines of code, without tests and comments, that mention one of the words.
fn mentions(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(mentions(&path, words));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
        let code = code.filter(|line| !line.trim_start().starts_with("//"));
        let strayed = code.filter(|line| words.iter().any(|word| line.contains(word)));
        found.extend(strayed.map(|line| format!("{}: {}", path.display(), line.trim())));
    }
    found
}
