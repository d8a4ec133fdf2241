//! What the program knows of a service before it reads the settings, and what it makes of them.

use std::{fmt::Debug, pin::Pin};

use sqlx::migrate::Migrator;
use tongxin_proto::Contract;

use super::{App, Shared, StartError};
use crate::{
    config::{ConfigError, Sections, ServiceConfig},
    db::Migrations,
};

/// A service that the program can be. Each service has one, and the program names them all in one place.
#[derive(Debug)]
pub struct Kind {
    /// Its name: of its section in the settings, of its packages `tongxin.<name>.*`, of its user at the broker.
    pub name: &'static str,
    /// What it is about, for `--help`.
    pub about: &'static str,
    /// The contract that its packages are of.
    pub contract: &'static Contract,
    /// The services whose events it follows.
    pub follows: Follows,
    /// The key files without which it does not start.
    pub needs: Needs,
    /// The service's own migrations, which run after platform's.
    pub migrator: &'static Migrator,
    /// Reads its section: [`configured`](Self::configured) of its settings.
    pub read: fn(&Sections) -> Read,
}

/// A service with its settings; none where they have no section of it.
pub type Read = Result<Option<Box<dyn Configured>>, ConfigError>;

/// Whose events a service follows, and where its settings have their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Services by their names; each name is a setting with the address.
    These(&'static [&'static str]),
    /// All others; the setting `upstreams` has their addresses.
    Others,
}

/// Key files of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// It carries out requests once: `request_key_files`.
    pub request_keys: bool,
    /// It keeps personal data: `personal`.
    pub personal_keys: bool,
}

impl Kind {
    /// The schema of its database.
    #[must_use]
    pub fn migrations(&self) -> Migrations {
        Migrations::with_platform(self.migrator)
    }

    /// How a sentence names it.
    #[must_use]
    pub fn title(&self) -> String {
        let article = if self.follows == Follows::Others { "the " } else { "" };
        format!("{article}{}", self.name)
    }

    /// Whom it calls, in a sentence; nothing if it calls nobody, and so needs no token.
    #[must_use]
    pub fn calls(&self) -> Option<String> {
        match self.follows {
            Follows::These([]) => None,
            Follows::These(sources) => Some(sources.join(", ")),
            Follows::Others => Some("other services".to_owned()),
        }
    }
}

/// A service with its settings, not yet started.
pub trait Configured: Debug + Send {
    /// The service.
    fn kind(&self) -> &'static Kind;

    /// What every service has.
    fn common(&self) -> ServiceConfig;

    /// All of its section, secrets masked.
    ///
    /// # Errors
    /// When a setting has no JSON.
    fn shown(&self) -> serde_json::Result<serde_json::Value>;

    /// What is wrong with its own settings, one line each.
    fn faults(&self) -> Vec<String>;

    /// [`App::build`].
    fn build(self: Box<Self>, shared: Shared) -> Started;
}

/// A service that is being started.
pub type Started = Pin<Box<dyn Future<Output = Result<App, StartError>> + Send>>;
