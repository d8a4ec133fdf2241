//! The keys that personal data is sealed and found by, in the data folder. Whoever loses them loses the data.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, anyhow};
use tongxin_platform::personal::{KeyVersion, PersonalConfig, Suite};

use crate::instance::write_private;

const KEY_BYTES: usize = 32;

/// The keys in a data folder, made at the first start.
pub fn in_folder(data_dir: &Path) -> Result<PersonalConfig> {
    let folder = data_dir.join("keys");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let [master, index] = ["master-1.hex", "index.hex"].map(|name| folder.join(name));
    for file in [&master, &index] {
        if !file.exists() {
            write_private(file, &new_key()?)?;
        }
    }
    Ok(PersonalConfig {
        suite: Suite::default(),
        current_key: KeyVersion::FIRST,
        key_files: BTreeMap::from([(KeyVersion::FIRST, master)]),
        index_key_file: index,
    })
}

fn new_key() -> Result<String> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| anyhow!("the operating system gives no randomness: {error}"))?;
    Ok(hex::encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_as_they_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let read = || {
            let config = in_folder(folder.path()).unwrap();
            [fs::read(&config.key_files[&KeyVersion::FIRST]).unwrap(), fs::read(&config.index_key_file).unwrap()]
        };
        let first = read();
        assert_ne!(first[0], first[1]);
        assert_eq!(read(), first);
    }
}
