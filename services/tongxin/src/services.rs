//! The services that this program can be.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use tongxin_platform::{
    broker::BrokerUser,
    service::{self, Kind, KindsError},
};
use tongxin_servers::NatsUser;

/// The one that everybody outside calls.
pub static GATEWAY: &Kind = &tongxin_gateway::KIND;

/// All of them, each after those whose events it follows. A service that is named here is all that the program needs to know of
/// it.
pub static KINDS: [&Kind; 3] = [&tongxin_pairing::KIND, &tongxin_monitoring::KIND, GATEWAY];

/// Makes sure that they go together.
pub fn check() -> Result<(), KindsError> {
    service::check(&KINDS)
}

/// Reads the name of a service.
pub fn parser() -> impl TypedValueParser<Value = &'static Kind> {
    let values = KINDS.map(|kind| PossibleValue::new(kind.name).help(kind.about));
    PossibleValuesParser::new(values).try_map(|name| named(&name).ok_or("there is no such service"))
}

/// The service of a name.
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The one that was asked for, or all.
pub fn selected(one: Option<&'static Kind>) -> Vec<&'static Kind> {
    one.map_or_else(|| KINDS.to_vec(), |one| vec![one])
}

/// What a service may do at the broker.
pub fn nats_user(kind: &Kind) -> NatsUser {
    let BrokerUser { name, publish, subscribe } = kind.broker_user(&KINDS);
    NatsUser { name, publish, subscribe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_go_together() {
        assert_eq!(check(), Ok(()));
    }

    /// What operators are given is what `up` runs with.
    #[test]
    fn the_users_in_deploy_are_those_of_the_services() {
        let entries = KINDS.map(|kind| nats_user(kind).entry(&format!("$NATS_{}_PASSWORD", kind.name.to_uppercase())));
        let expected = format!("authorization {{ users: [\n{}] }}\n", entries.concat());
        let template = include_str!("../../../deploy/nats/users.conf");
        let users = template.split_once("authorization").map(|(_, users)| format!("authorization{users}"));
        assert_eq!(users, Some(expected), "deploy/nats/users.conf has to say this");
    }
}
