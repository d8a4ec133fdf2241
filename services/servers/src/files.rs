//! Files and folders that others cannot read.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::Path,
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{error::ServersError, user::User};

/// Creates a folder that only the user who runs Postgres may enter, or accepts an existing one of that user.
pub(crate) fn make_private(path: &Path, user: Option<&User>) -> Result<(), ServersError> {
    let owner = user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::symlink_metadata(path).map_err(ServersError::io("look at", path))?;
            if !there.is_dir() || ![0, owner].contains(&there.uid()) {
                return Err(ServersError::io("use", path)(io::Error::other("it belongs to someone else")));
            }
        }
        Err(error) => return Err(ServersError::io("create", path)(error)),
    }
    if let Some(user) = user {
        user.owns(path)?;
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(ServersError::io("protect", path))
}

/// Creates a folder that others may pass through, whatever the umask.
pub(crate) fn make_passable(path: &Path) -> Result<(), ServersError> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o711)))
        .map_err(ServersError::io("create", path))
}

/// Atomically writes a file that only we may read, also if the machine crashes.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), ServersError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        // Created with mode 0600.
        let mut draft = NamedTempFile::new_in(folder)?;
        draft.write_all(content.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(path)?;
        // Makes the rename durable, too.
        File::open(folder)?.sync_all()
    };
    write().map_err(ServersError::io("write", path))
}

/// Opens a file for appending, and removes the read permission of others than its owner and group.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    const MODE: u32 = 0o640;
    let file = File::options().create(true).append(true).mode(MODE).open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o007 != 0 {
        file.set_permissions(Permissions::from_mode(mode & MODE))?;
    }
    Ok(file)
}

/// A unique and stable name for a path.
pub(crate) fn name_for(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    format!("tongxin-{}", hex::encode(&digest[..8]))
}

#[test]
fn a_private_file_takes_the_place_of_one_that_all_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nats.password");
    fs::write(&path, "older and longer").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    write_private(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn a_path_has_a_name_for_ever() {
    assert_eq!(name_for(Path::new("/srv/tongxin")), "tongxin-ac9d86789b0ac206");
}
