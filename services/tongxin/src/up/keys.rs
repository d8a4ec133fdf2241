//! The keys that seal and index personal data, and those of request fingerprints, in the data folder. If the former are
//! lost, so is the data.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use tongxin_platform::personal::{KeyVersion, PersonalConfig, Suite};

use crate::{instance::write_private, lang::told};

const KEY_BYTES: usize = 32;

/// Created at the first start.
pub fn of_personal_data(data_dir: &Path) -> Result<PersonalConfig> {
    Ok(PersonalConfig {
        suite: Suite::default(),
        current_key: KeyVersion::FIRST,
        key_files: BTreeMap::from([(KeyVersion::FIRST, key_file(data_dir, "master-1.hex")?)]),
        index_key_file: key_file(data_dir, "index.hex")?,
    })
}

/// Created at the first start.
pub fn of_requests(data_dir: &Path, service: &str) -> Result<BTreeMap<KeyVersion, PathBuf>> {
    Ok(BTreeMap::from([(KeyVersion::FIRST, key_file(data_dir, &format!("requests-{service}-1.hex"))?)]))
}

fn key_file(data_dir: &Path, name: &str) -> Result<PathBuf> {
    let folder = data_dir.join("keys");
    fs::create_dir_all(&folder)
        .with_context(|| told!("cannot make the folder {}", "无法创建文件夹 {}", folder.display()))?;
    let file = folder.join(name);
    if !file.exists() {
        write_private(&file, &new_key()?)?;
    }
    Ok(file)
}

fn new_key() -> Result<String> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| {
        anyhow!(told!("the operating system gives no randomness: {error}", "操作系统没有提供随机数：{error}"))
    })?;
    Ok(hex::encode(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_stay_as_they_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let read = || {
            let config = of_personal_data(folder.path()).unwrap();
            let [one, other] = ["one", "other"].map(|name| of_requests(folder.path(), name).unwrap());
            let first = |files: &BTreeMap<KeyVersion, PathBuf>| files[&KeyVersion::FIRST].clone();
            [first(&config.key_files), config.index_key_file, first(&one), first(&other)]
                .map(|file| fs::read_to_string(file).unwrap())
        };
        let first = read();
        assert_eq!(BTreeSet::from(first.clone()).len(), 4, "each has a key of its own");
        assert_eq!(read(), first);
    }
}
