//! The user who runs Postgres, which refuses to run as root.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use crate::error::ServersError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl User {
    pub fn owns(&self, path: &Path) -> Result<(), ServersError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(ServersError::io("give away", path))
    }
}

/// `None` means the current user. Root uses the owner of an existing cluster, so that root and an ordinary user can use
/// a folder in turn.
pub(crate) fn for_postgres(cluster: &Path) -> Result<Option<User>, ServersError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(owner) = fs::metadata(cluster)
        && owner.uid() != 0
    {
        return Ok(Some(User { name: format!("with the id {}", owner.uid()), uid: owner.uid(), gid: owner.gid() }));
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    find(&accounts, "postgres").or_else(|| find(&accounts, "nobody")).map(Some).ok_or(ServersError::NoUser)
}

/// Finds an account in the format of `/etc/passwd`.
fn find(accounts: &str, name: &str) -> Option<User> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { name: name.to_owned(), uid, gid })
    })
}

#[test]
fn an_account_is_found_by_its_whole_name() {
    let accounts = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:\npostgres:x:101:104:PostgreSQL:/:\n";
    let user = User { name: "postgres".to_owned(), uid: 101, gid: 104 };
    assert_eq!(find(accounts, "postgres"), Some(user));
    assert_eq!(find(accounts, "nobody"), None);
}
