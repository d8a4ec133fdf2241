//! Which services go together.

use super::{Follows, Kind};
use crate::broker::BrokerUser;

impl Kind {
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
    use sqlx::migrate::Migrator;

    use super::*;
    use crate::service::Needs;

    const fn kind(name: &'static str, follows: Follows) -> Kind {
        let needs = Needs { request_keys: true, personal_keys: false };
        let contract = &tongxin_proto::PRODUCT;
        Kind { name, about: "An example", contract, follows, needs, migrator: &Migrator::DEFAULT, read: |_| Ok(None) }
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
