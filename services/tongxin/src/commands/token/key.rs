//! The signing key of a data folder of `tongxin up`.

use std::{io::ErrorKind, path::Path};

use anyhow::{Result, anyhow, bail};
use tongxin_platform::access::{LocalKey, LocalKeyError};

use crate::lang::told;

pub fn own_key(data_dir: &Path) -> Result<LocalKey> {
    let folder = data_dir.display();
    if !data_dir.is_dir() {
        bail!(told!(
            "there is no data folder {folder}: start `tongxin up`, or name its folder with --data-dir",
            "没有数据文件夹 {folder}：请启动 `tongxin up`，或用 --data-dir 指定它的文件夹"
        ));
    }
    LocalKey::of_folder(data_dir).map_err(|error| match &error {
        LocalKeyError::File { source, .. } if source.kind() == ErrorKind::NotFound => anyhow!(told!(
            "{folder} has no key yet: `tongxin up` makes one when it starts",
            "{folder} 里还没有密钥：`tongxin up` 启动时会生成"
        )),
        _ => error.into(),
    })
}
