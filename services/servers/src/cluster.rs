//! Creates the folders of Postgres where its user can access them.
//!
//! The cluster and the folder of its socket are next to each other in the data folder. Root's data folder may be
//! inaccessible to other users, for example below `/root`; then both are in a separate folder below `/var/lib/tongxin`,
//! and `postgres` in the data folder is a link to the cluster. Deleting such a data folder by hand does not delete that
//! one; `make clean-data` does.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use tracing::info;

use crate::{
    binaries::PostgresBinaries,
    child,
    error::ServersError,
    files::{make_passable, make_private, name_for},
    user::User,
};

/// Needs no password on the socket.
pub(crate) const SUPERUSER: &str = "postgres";

const ELSEWHERE: &str = "/var/lib/tongxin";

/// The kernel limits paths to 108 bytes including the final zero, and Postgres appends `/.s.PGSQL.5432`.
const LONGEST_SOCKET_DIR: usize = 107 - "/.s.PGSQL.5432".len();

/// Finds or creates the cluster, and returns its real path.
pub(crate) async fn open(
    link: &Path,
    binaries: &PostgresBinaries,
    user: Option<&User>,
    is_temporary: bool,
) -> Result<PathBuf, ServersError> {
    if !link.exists() {
        create(link, binaries, user, is_temporary).await?;
    }
    let cluster = fs::canonicalize(link).map_err(ServersError::io("find", link))?;
    reach(&cluster, user).await?;
    check_major_version(&cluster, binaries.major)?;
    Ok(cluster)
}

/// Removes a cluster outside its data folder.
pub(crate) fn remove_elsewhere(data_dir: &Path) {
    if let Ok(cluster) = fs::read_link(data_dir.join("postgres"))
        && cluster.starts_with(ELSEWHERE)
        && let Some(folder) = cluster.parent()
    {
        let _ = fs::remove_dir_all(folder);
    }
}

/// The folder of the socket, next to the cluster unless its path would be too long.
pub(crate) fn make_socket_dir(cluster: &Path, user: Option<&User>) -> Result<PathBuf, ServersError> {
    let mut path = cluster.with_file_name("run");
    if path.as_os_str().len() > LONGEST_SOCKET_DIR {
        path = Path::new("/tmp").join(name_for(cluster));
    }
    make_private(&path, user)?;
    Ok(path)
}

/// Creates a cluster in a temporary folder and renames it when it is complete, so that a kill leaves no partial one.
async fn create(
    link: &Path,
    binaries: &PostgresBinaries,
    user: Option<&User>,
    is_temporary: bool,
) -> Result<(), ServersError> {
    let place = place(link, user).await?;
    let draft = place.with_file_name("postgres.new");
    let _ = fs::remove_dir_all(&draft);
    make_private(&draft, user)?;
    initdb(&draft, binaries, user, is_temporary).await?;
    fs::rename(&draft, &place).map_err(ServersError::io("move the new cluster to", &place))?;

    if place != link {
        // There may be a dangling link.
        let _ = fs::remove_file(link);
        symlink(&place, link).map_err(ServersError::io("link the cluster to", link))?;
    }
    info!(cluster = %place.display(), "a database cluster is made");
    Ok(())
}

async fn place(link: &Path, user: Option<&User>) -> Result<PathBuf, ServersError> {
    let draft = link.with_file_name("postgres.new");
    make_private(&draft, user)?;
    if reach(&draft, user).await.is_ok() {
        return Ok(link.to_owned());
    }
    let _ = fs::remove_dir_all(&draft);

    make_passable(Path::new(ELSEWHERE))?;
    let folder = tempfile::Builder::new()
        .prefix("cluster-")
        .tempdir_in(ELSEWHERE)
        .map_err(ServersError::io("create a folder in", Path::new(ELSEWHERE)))?
        .keep();
    make_passable(&folder)?;
    Ok(folder.join("postgres"))
}

async fn initdb(
    path: &Path,
    binaries: &PostgresBinaries,
    user: Option<&User>,
    is_temporary: bool,
) -> Result<(), ServersError> {
    let mut command = child::command(&binaries.initdb, "TERM", user);
    command
        .arg("--pgdata")
        .arg(path)
        .args(["--username", SUPERUSER])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        .args(["--encoding=UTF8", "--locale=C", "--data-checksums"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if is_temporary {
        command.arg("--no-sync");
    }
    let output = command.output().await.map_err(ServersError::io("start", &binaries.initdb))?;
    if output.status.success() {
        return Ok(());
    }
    let output = [output.stdout, output.stderr].concat();
    Err(ServersError::Initdb { output: String::from_utf8_lossy(&output).into_owned() })
}

/// Tests access as the user who needs it: only the kernel knows all access rules.
async fn reach(path: &Path, user: Option<&User>) -> Result<(), ServersError> {
    let mut test = child::command(Path::new("test"), "KILL", user);
    let status = test.arg("-w").arg(path).status().await;
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(ServersError::Unreachable {
        user: user.map_or_else(|| "of this process".to_owned(), |user| user.name.clone()),
        path: path.to_owned(),
    })
}

fn check_major_version(cluster: &Path, running: u32) -> Result<(), ServersError> {
    let path = cluster.join("PG_VERSION");
    let found = fs::read_to_string(&path).map_err(ServersError::io("read", &path))?;
    if found.trim() == running.to_string() {
        return Ok(());
    }
    Err(ServersError::OtherMajorVersion { path: cluster.to_owned(), found: found.trim().to_owned(), running })
}
