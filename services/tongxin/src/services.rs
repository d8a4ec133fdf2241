//! The services that this program runs.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use tongxin_platform::{
    broker::BrokerUser,
    service::{self, Kind, KindsError},
};
use tongxin_servers::NatsUser;

/// The service that outside callers use.
pub static GATEWAY: &Kind = &tongxin_gateway::KIND;

/// All services, each after those whose events it follows. To add a service to the program, add it here.
pub static KINDS: [&Kind; 3] = [&tongxin_pairing::KIND, &tongxin_monitoring::KIND, GATEWAY];

/// Checks that they are consistent.
pub fn check() -> Result<(), KindsError> {
    service::check(&KINDS)
}

pub fn parser() -> impl TypedValueParser<Value = &'static Kind> {
    let values = KINDS.map(|kind| PossibleValue::new(kind.name).help(kind.about));
    PossibleValuesParser::new(values).try_map(|name| named(&name).ok_or("there is no such service"))
}

pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The requested one, or all.
pub fn selected(one: Option<&'static Kind>) -> Vec<&'static Kind> {
    one.map_or_else(|| KINDS.to_vec(), |one| vec![one])
}

/// A service's permissions at the broker.
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

    /// The template for operators has the same users as `up`.
    #[test]
    fn the_users_in_deploy_are_those_of_the_services() {
        let entries = KINDS.map(|kind| nats_user(kind).entry(&format!("$NATS_{}_PASSWORD", kind.name.to_uppercase())));
        let expected = format!("authorization {{ users: [\n{}] }}\n", entries.concat());
        let template = include_str!("../../../deploy/nats/users.conf");
        let users = template.split_once("authorization").map(|(_, users)| format!("authorization{users}"));
        assert_eq!(users, Some(expected), "deploy/nats/users.conf has to say this");
    }
}
