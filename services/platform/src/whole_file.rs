//! Atomic file writes, and files that are appended to.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Writes a file atomically, replacing one that may exist, with the permission bits `mode`, for example 0o600 for the
/// owner only.
///
/// # Errors
/// If the folder cannot be written to; the previous file stays.
pub fn write(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    // A leftover may have other permissions.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    // The new name has to reach the disk, too.
    File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens a file for appending, readable by its owner and group only, whatever its permissions were before.
///
/// # Errors
/// If it cannot be written to.
pub fn append(path: &Path) -> io::Result<File> {
    const MODE: u32 = 0o640;
    let file = File::options().create(true).append(true).mode(MODE).open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o007 != 0 {
        file.set_permissions(Permissions::from_mode(mode & MODE))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_place_of_another_with_its_own_bits() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "older and longer").unwrap();
        fs::write(folder.path().join("key.new"), "left behind").unwrap();
        write(&path, 0o600, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_cannot_be_replaced_stays() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        fs::create_dir(folder.path().join("key.new")).unwrap();
        assert!(write(&path, 0o600, b"new").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
}
