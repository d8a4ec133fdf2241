//! What can be asked for.

use std::{fmt::Write as _, path::PathBuf};

/// Where the servers keep their data, and where their programs are.
#[derive(Debug, Clone)]
pub struct ServersConfig {
    /// Made when it is not there.
    pub data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`. Otherwise they are looked for on the `PATH` and where Debian puts them;
    /// the environment variable `TONGXIN_POSTGRES` says which major version, for example 18.
    pub postgres_bin_dir: Option<PathBuf>,
    /// Otherwise it is looked for in `.tools/bin` of this folder and those above, and on the `PATH`.
    pub nats_server: Option<PathBuf>,
    /// Who may log in at NATS, each with a password file of its own; without any there is one user who may do everything.
    pub nats_users: Vec<NatsUser>,
}

impl ServersConfig {
    /// With the programs of this machine.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), postgres_bin_dir: None, nats_server: None, nats_users: Vec::new() }
    }
}

/// A user of NATS, with the subjects that it may use; all others are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsUser {
    /// What it logs in as.
    pub name: String,
    /// Subjects that it may publish on.
    pub publish: Vec<String>,
    /// Subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

impl NatsUser {
    /// The user as an entry of `authorization.users` in the server's configuration; `password` is put there as it is.
    #[must_use]
    pub fn entry(&self, password: &str) -> String {
        let Self { name, publish, subscribe } = self;
        let list = |subjects: &[String]| {
            subjects.iter().fold(String::new(), |mut list, subject| {
                let _ = writeln!(list, "        \"{subject}\"");
                list
            })
        };
        format!(
            r#"  {{
    user: "{name}"
    password: {password}
    permissions: {{
      publish: {{ allow: [
{}      ] }}
      subscribe: {{ allow: [
{}      ] }}
    }}
  }}
"#,
            list(publish),
            list(subscribe)
        )
    }
}
