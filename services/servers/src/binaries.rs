//! Finds the programs, and refuses old versions.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{
    child,
    error::ServersError,
    user::User,
    versions::{OLDEST_NATS, PostgresVersion, major, release},
};

#[derive(Debug, Clone)]
pub(super) struct PostgresBinaries {
    pub postgres: PathBuf,
    pub initdb: PathBuf,
    pub major: u32,
}

/// Searches the given folder, or else the `PATH`, then Debian's folders, newest first. If a version is requested,
/// `.tools` of this folder or one above comes first.
pub(super) async fn find_postgres(given: Option<&Path>, user: Option<&User>) -> Result<PostgresBinaries, ServersError> {
    child::require_setpriv().await?;
    let version = given.map_or_else(PostgresVersion::asked_for, |_| Ok(PostgresVersion::Any))?;
    let folders = match (given, version) {
        (Some(folder), _) => vec![folder.to_owned()],
        (None, PostgresVersion::Any) => [search_path(), debian_folders()].concat(),
        (None, PostgresVersion::Exactly(major)) => {
            [in_tools(&format!("postgres-{major}/bin")), search_path(), debian_folders()].concat()
        }
    };

    let mut tried = Vec::new();
    for folder in folders {
        // Postgres locates its other files relative to its real path.
        let Ok(postgres) = fs::canonicalize(folder.join("postgres")) else {
            continue;
        };
        let initdb = postgres.with_file_name("initdb");
        let found = said_version(&postgres, user).await;
        match found.as_deref().and_then(major) {
            // A wrapper script would receive the signals meant for Postgres.
            _ if is_script(&postgres) => tried.push(format!("{} (a script)", postgres.display())),
            Some(major) if version.will_do(major) && initdb.exists() => {
                return Ok(PostgresBinaries { postgres, initdb, major });
            }
            _ => tried.push(describe(&postgres, found.as_deref())),
        }
    }
    Err(ServersError::NoPostgres { wanted: version.to_string(), tried: listing(&tried) })
}

/// Searches the given program, or else `.tools/bin/nats-server` of this folder or one above, then the `PATH`.
pub(super) async fn find_nats(given: Option<&Path>) -> Result<PathBuf, ServersError> {
    child::require_setpriv().await?;
    let candidates = match given {
        Some(program) => vec![program.to_owned()],
        None => {
            [in_tools("bin"), search_path()].concat().into_iter().map(|folder| folder.join("nats-server")).collect()
        }
    };

    let mut tried = Vec::new();
    for program in candidates {
        let Ok(program) = fs::canonicalize(&program) else {
            if given.is_some() {
                tried.push(format!("{} (is not there)", program.display()));
            }
            continue;
        };
        let found = said_version(&program, None).await;
        if found.as_deref().and_then(release) >= release(OLDEST_NATS) {
            return Ok(program);
        }
        tried.push(describe(&program, found.as_deref()));
    }
    Err(ServersError::NoNats { oldest: OLDEST_NATS, tried: listing(&tried) })
}

#[expect(clippy::disallowed_methods, reason = "where programs are is not a setting of ours")]
fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Newest first.
fn debian_folders() -> Vec<PathBuf> {
    let mut majors: Vec<u32> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    majors.sort_unstable();
    majors.iter().rev().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"))).collect()
}

/// Tests run in the folder of their crate; `make setup` fills `.tools` of the project.
fn in_tools(folder: &str) -> Vec<PathBuf> {
    std::env::current_dir()
        .map(|here| here.ancestors().map(|above| above.join(".tools").join(folder)).collect())
        .unwrap_or_default()
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

/// The output of `--version`, run by the user who will run the program.
async fn said_version(program: &Path, user: Option<&User>) -> Option<String> {
    let mut command: Command = child::command(program, "KILL", user);
    let output = command.arg("--version").output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn describe(program: &Path, version: Option<&str>) -> String {
    let found = version.unwrap_or("does not run");
    format!("{} ({found})", program.display())
}

fn listing(tried: &[String]) -> String {
    if tried.is_empty() { "nothing, it is not installed".to_owned() } else { tried.join(", ") }
}
