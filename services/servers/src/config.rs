//! Configuration of the servers.

use std::{fmt::Write as _, path::PathBuf};

/// Where the servers keep their data, and where their programs are.
#[derive(Debug, Clone)]
pub struct ServersConfig {
    /// Created if it does not exist.
    pub data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`. By default they are searched on the `PATH` and in Debian's folders; the
    /// environment variable `TONGXIN_POSTGRES` requests a major version, for example 18.
    pub postgres_bin_dir: Option<PathBuf>,
    /// By default it is searched in `.tools/bin` of this folder and those above, and on the `PATH`.
    pub nats_server: Option<PathBuf>,
    /// Users of NATS, each with a password file. If empty, there is one user who may do everything.
    pub nats_users: Vec<NatsUser>,
}

impl ServersConfig {
    /// With the programs found on this machine.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), postgres_bin_dir: None, nats_server: None, nats_users: Vec::new() }
    }
}

/// A user of NATS with its permitted subjects; all others are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsUser {
    /// Login name.
    pub name: String,
    /// Subjects that it may publish on.
    pub publish: Vec<String>,
    /// Subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

impl NatsUser {
    /// The user as an entry of `authorization.users` in the server's configuration; `password` is inserted as it is.
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
