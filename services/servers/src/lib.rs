//! A private Postgres and NATS as child processes: for `tongxin up`, and for tests.
//!
//! [`Servers::start`] runs both on a data folder, [`Servers::temporary`] on one that is removed at the end. They are
//! started again when they die, and end when their owner does, even by kill -9.
//!
//! | file | |
//! |---|---|
//! | `config`    | what can be asked for: data folder, programs, users of NATS |
//! | `servers`   | both servers together |
//! | `postgres`, `nats` | each of them: how it is started, where it can be reached |
//! | `settings`, `nats_config` | what each is told: command line and configuration file |
//! | `cluster`   | the folders of Postgres, where the user who runs it can reach them |
//! | `folder`    | the data folder, and who has it |
//! | `files`     | files and folders that others may not read |
//! | `binaries`, `versions` | where the programs are, and which versions will do |
//! | `user`      | who runs Postgres when we are root |
//! | `keeper`, `life`, `program`, `backoff` | keeps a program running, in a thread of its own |
//! | `child`, `log` | how a process is started and ended, and where its output goes |
//! | `leftovers` | what a killed run left running |
//! | `error`     | what can go wrong, and what to do about it |
//!
//! What a data folder holds: `lock` (locked by its owner, who wrote its process id into it), `postgres/` (the database
//! cluster, or a link to it), `run/` (Postgres's socket), `nats/` (the streams), `nats.conf`, `nats.port`, a password
//! file of each user of NATS, and a log of each program. Nobody else may read any of it.

mod backoff;
mod binaries;
mod child;
mod cluster;
mod config;
mod error;
mod files;
mod folder;
mod keeper;
mod leftovers;
mod life;
mod log;
mod nats;
mod nats_config;
mod postgres;
mod program;
mod servers;
mod settings;
mod user;
mod versions;

pub use config::{NatsUser, ServersConfig};
pub use error::ServersError;
pub use nats::Nats;
pub use postgres::Postgres;
pub use program::State;
pub use servers::Servers;
