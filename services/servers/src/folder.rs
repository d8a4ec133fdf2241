//! The data folder, with one owner at a time, and a temporary one for tests.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{cluster, error::ServersError, files::make_passable};

const TEMPORARY_PREFIX: &str = "tongxin-test-";

/// A younger folder may belong to a process that is about to lock it.
const ABANDONED_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Removes the folder. Declared before the lock, so that nobody locks a half-removed folder.
    temporary: Option<TempDir>,
    /// Removes it if this process ends without dropping us.
    heir: Option<Child>,
    _lock: File,
}

impl DataFolder {
    pub fn open(path: &Path) -> Result<Self, ServersError> {
        fs::create_dir_all(path).map_err(ServersError::io("create the data folder", path))?;
        let path = fs::canonicalize(path).map_err(ServersError::io("find", path))?;
        let lock = lock(&path)?;
        Ok(Self { path, temporary: None, heir: None, _lock: lock })
    }

    /// A folder that is removed on drop.
    pub fn temporary() -> Result<Self, ServersError> {
        let parent = std::env::temp_dir();
        remove_abandoned(&parent);
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(&parent)
            .map_err(ServersError::io("create a folder in", &parent))?;
        // The user who runs Postgres needs to pass through.
        make_passable(temporary.path())?;
        let mut folder = Self::open(temporary.path())?;
        folder.temporary = Some(temporary);
        folder.heir = Some(heir(&folder.path).map_err(ServersError::io("start a shell for", &folder.path))?);
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.is_temporary() {
            cluster::remove_elsewhere(&self.path);
        }
        if let Some(mut heir) = self.heir.take() {
            // It has already ended, or is no longer needed.
            let _ = heir.kill();
            let _ = heir.wait();
        }
    }
}

/// A shell that reads from us until the pipe closes, because a test binary was killed or ended without dropping its
/// `static` servers. Then it removes the folder, as soon as the servers release it.
fn heir(folder: &Path) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", "read -r _; for _ in $(seq 100); do rm -rf \"$0\" && exit; sleep 0.1; done"])
        .arg(folder)
        // It must survive a Ctrl-C that ends the tests.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// The lock is released when its owner ends, however that happens.
fn lock(folder: &Path) -> Result<File, ServersError> {
    let path = folder.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(ServersError::io("open", &path))?;
    match try_lock_a_moment(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let _ = file.read_to_string(&mut owner);
            return Err(ServersError::InUse { folder: folder.to_owned(), owner: owner.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(ServersError::io("lock", &path)(error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(ServersError::io("write", &path))?;
    Ok(file)
}

/// A child process holds our locks between fork and exec, so the lock may be free a moment later.
fn try_lock_a_moment(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            result => return result,
        }
    }
    file.try_lock()
}

/// Removes folders of tests that were never cleaned up, because the machine or the cleaning shell ended.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX);
        let is_old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER));
        if is_ours && is_old && lock(&entry.path()).is_ok() {
            cluster::remove_elsewhere(&entry.path());
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[test]
fn only_folders_without_an_owner_are_removed() {
    let parent = tempfile::tempdir().unwrap();
    let long_ago = std::time::SystemTime::now() - 2 * ABANDONED_AFTER;
    let [abandoned, owned, young] = ["a", "b", "c"].map(|name| {
        let path = parent.path().join(format!("{TEMPORARY_PREFIX}{name}"));
        fs::create_dir(&path).unwrap();
        path
    });
    let _lock = lock(&owned).unwrap();
    for path in [&abandoned, &owned] {
        File::open(path).unwrap().set_modified(long_ago).unwrap();
    }
    remove_abandoned(parent.path());
    assert!(!abandoned.exists() && owned.exists() && young.exists());
}
