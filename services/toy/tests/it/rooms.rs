//! Each room mentions only what it may.

use std::{fs, path::Path};

/// Rooms and what must not stand in them.
const WALLS: [(&str, &[&str]); 4] = [
    ("domain", &["sqlx", "tonic", "tokio", "tongxin_proto", "crate::store", "crate::grpc", "crate::commands"]),
    ("store", &["tonic", "crate::commands", "crate::grpc"]),
    ("commands", &["tonic", "tongxin_proto", "crate::grpc", "query!", "SELECT "]),
    ("grpc", &["query!", "async_nats", "platform::log", "SELECT "]),
];

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

#[test]
fn each_room_mentions_only_what_it_may() {
    let mut strays = Vec::new();
    for (room, forbidden) in WALLS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
        walk(&folder, &mut |path| {
            let text = fs::read_to_string(path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for word in code.flat_map(|line| forbidden.iter().filter(move |word| line.contains(**word))) {
                strays.push(format!("{} mentions {word}", path.display()));
            }
        });
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//!") || path.ends_with("tests.rs"), "{} has no first line", path.display());
    });
}
