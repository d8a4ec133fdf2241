//! A private Postgres and NATS as child processes, for `tongxin up` and for tests.
//!
//! [`Servers::start`] runs both on a data folder, [`Servers::temporary`] on one that is removed at the end. They are
//! restarted when they die, and end when their owner does, even by kill -9.
//!
//! | file | |
//! |---|---|
//! | `config`    | data folder, programs, users of NATS |
//! | `servers`   | both servers together |
//! | `postgres`, `nats` | each server: how it is started, and its address |
//! | `settings`, `nats_config` | command line of Postgres, configuration file of NATS |
//! | `cluster`   | the folders of Postgres, where its user can access them |
//! | `folder`    | the data folder and its lock |
//! | `files`     | files and folders that others cannot read |
//! | `binaries`, `versions` | finds the programs, and checks their versions |
//! | `user`      | the user who runs Postgres if we are root |
//! | `keeper`, `life`, `program`, `backoff` | supervises a program in its own thread |
//! | `child`, `log` | starts and ends processes; their output |
//! | `leftovers` | stops servers left running by a killed run |
//! | `error`     | errors, and what to do about them |
//!
//! Contents of a data folder: `lock` (locked by its owner, with its process id), `postgres/` (the database cluster, or
//! a link to it), `run/` (Postgres's socket), `nats/` (the streams), `nats.conf`, `nats.port`, a password file per user
//! of NATS, and a log per program. Nobody else can read any of it.

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
