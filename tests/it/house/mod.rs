//! The shape of the code: which room mentions what, which module uses which.

mod imports;
mod rooms;

use std::{
    fs,
    path::{Path, PathBuf},
};

use imports::Imports;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders with code of all crates: those below `services`, the contract, and these tests.
fn sources() -> Vec<PathBuf> {
    let services = fs::read_dir(root().join("services")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let services = services.filter(|src| src.exists());
    services.chain([root().join("proto/src"), root().join("tests/src")]).collect()
}

/// All Rust files below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn no_module_uses_itself_through_others() {
    let mut circles = Vec::new();
    for src in sources() {
        circles.extend(Imports::of(&src).circles().into_iter().map(|circle| format!("{}: {circle}", src.display())));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_is_found_behind_names_that_others_pass_on() {
    let crate_folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(crate_folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use c::C; #[cfg(test)] mod tests { use crate::a; }");
    write("a.rs", "use super::b::B; pub struct A(B);");
    write("b.rs", "pub struct B; fn text() -> String { format!(\"{}\", crate::C::NAME) }");
    write("c.rs", "pub struct C;");
    assert!(Imports::of(crate_folder.path()).circles().is_empty());
    write("c.rs", "pub struct C; fn a(_: &crate::a::A) {}");
    let found: Vec<_> = Imports::of(crate_folder.path()).circles().into_iter().collect();
    assert_eq!(found, ["a -> b -> c"]);
}

#[test]
fn every_file_says_what_it_is_for() {
    let folders = [root().join("services"), root().join("proto"), root().join("tests")];
    let files = folders.iter().flat_map(|folder| rust_files(folder)).filter(|path| !path.ends_with("tests.rs"));
    let silent: Vec<_> = files.filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "they have no first line: {silent:#?}");
}
