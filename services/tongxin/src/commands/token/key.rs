//! The key of a data folder.

use std::{io::ErrorKind, path::Path};

use anyhow::{Result, anyhow, bail};
use tongxin_platform::access::{LocalKey, LocalKeyError};

/// The key of a data folder of `tongxin up`.
pub fn own_key(data_dir: &Path) -> Result<LocalKey> {
    if !data_dir.is_dir() {
        bail!("there is no data folder {}: start `tongxin up`, or name its folder with --data-dir", data_dir.display());
    }
    LocalKey::of_folder(data_dir).map_err(|error| match &error {
        LocalKeyError::File { source, .. } if source.kind() == ErrorKind::NotFound => {
            anyhow!("{} has no key yet: `tongxin up` makes one when it starts", data_dir.display())
        }
        _ => error.into(),
    })
}
