//! What the program knows of a service before it reads the settings, and which services go together.

use sqlx::migrate::Migrator;
use tongxin_proto::Contract;

use super::{Build, Configured};
use crate::{
    broker::BrokerUser,
    config::{ConfigError, Sections},
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
    /// Its section, for `read`.
    ///
    /// # Errors
    /// When a setting is unknown, missing or of the wrong kind.
    pub fn configured<B: Build>(sections: &Sections) -> Read {
        let section = sections.get::<B>(B::KIND.name)?;
        Ok(section.map(|section| Box::new(section) as Box<dyn Configured>))
    }

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

    /// What it may do at the broker, as one of some services.
    #[must_use]
    pub fn broker_user(&self, kinds: &[&'static Self]) -> BrokerUser {
        BrokerUser::of_service(self.name, &followed(self, kinds))
    }
}

/// The services among some whose events one follows.
#[must_use]
pub fn followed(kind: &Kind, kinds: &[&'static Kind]) -> Vec<&'static str> {
    match kind.follows {
        Follows::These(sources) => sources.to_vec(),
        Follows::Others => kinds.iter().map(|other| other.name).filter(|name| *name != kind.name).collect(),
    }
}

/// Why services cannot be those of one program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindsError {
    /// Two have a name.
    #[error("two services are named {0}")]
    Twice(&'static str),
    /// One follows another that is not there, or not yet.
    #[error("{0} follows {1}, which has to be named before it")]
    Missing(&'static str, &'static str),
}

/// Makes sure that each service is named once, and after those that it follows: so they can be started one after the other.
///
/// # Errors
/// When one is not.
pub fn check(kinds: &[&'static Kind]) -> Result<(), KindsError> {
    for (place, kind) in kinds.iter().enumerate() {
        let is_before = |name: &str| kinds[..place].iter().any(|earlier| earlier.name == name);
        if is_before(kind.name) {
            return Err(KindsError::Twice(kind.name));
        }
        if let Some(source) = followed(kind, kinds).into_iter().find(|source| !is_before(source)) {
            return Err(KindsError::Missing(kind.name, source));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn kind(name: &'static str, follows: Follows) -> Kind {
        let needs = Needs { request_keys: true, personal_keys: false };
        let contract = &tongxin_proto::PRODUCT;
        Kind { name, about: "A toy", contract, follows, needs, migrator: &Migrator::DEFAULT, read: |_| Ok(None) }
    }

    static SHOP: Kind = kind("shop", Follows::These(&[]));
    static LEDGER: Kind = kind("ledger", Follows::These(&["shop"]));
    static FRONT: Kind = kind("front", Follows::Others);

    #[test]
    fn services_are_named_once_and_after_those_that_they_follow() {
        assert_eq!(check(&[&SHOP, &LEDGER, &FRONT]), Ok(()));
        for (kinds, fault) in [
            ([&SHOP, &LEDGER, &SHOP], "two services are named shop"),
            ([&LEDGER, &SHOP, &FRONT], "ledger follows shop, which has to be named before it"),
            ([&SHOP, &FRONT, &LEDGER], "front follows ledger, which has to be named before it"),
        ] {
            assert_eq!(check(&kinds).unwrap_err().to_string(), fault);
        }
        assert_eq!(check(&[&LEDGER]), Err(KindsError::Missing("ledger", "shop")));
    }

    #[test]
    fn a_service_may_use_at_the_broker_what_those_have_that_it_follows() {
        let kinds = [&SHOP, &LEDGER, &FRONT];
        let may_take = |kind: &Kind| {
            let publish = kind.broker_user(&kinds).publish;
            ["SHOP", "LEDGER"].map(|stream| publish.iter().any(|to| to.contains(&format!("NEXT.TONGXIN_{stream}"))))
        };
        assert_eq!([&SHOP, &LEDGER, &FRONT].map(may_take), [[false, false], [true, false], [true, true]]);
        assert_eq!(
            [&SHOP, &LEDGER, &FRONT].map(Kind::calls).map(Option::unwrap_or_default),
            ["", "shop", "other services"]
        );
        assert_eq!([&LEDGER, &FRONT].map(Kind::title), ["ledger", "the front"]);
    }
}
