//! The services that this program can be.

use clap::ValueEnum;
use tongxin_platform::{broker::BrokerUser, db::Migrations};
use tongxin_servers::NatsUser;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceName {
    /// Regions, organisations, pairings, coverage.
    Pairing,
    /// Households at risk: signals, cases, measures.
    Monitoring,
    /// One door to all services, and the scorecard.
    Gateway,
}

impl ServiceName {
    /// All of them; the gateway last, because it calls the others.
    pub const ALL: [Self; 3] = [Self::Pairing, Self::Monitoring, Self::Gateway];

    /// Its name in settings and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pairing => tongxin_pairing::NAME,
            Self::Monitoring => tongxin_monitoring::NAME,
            Self::Gateway => "gateway",
        }
    }

    /// The schema of its database.
    pub fn migrations(self) -> Migrations {
        match self {
            Self::Pairing => tongxin_pairing::migrations(),
            Self::Monitoring => tongxin_monitoring::migrations(),
            Self::Gateway => tongxin_gateway::migrations(),
        }
    }

    /// Those whose events it follows.
    const fn follows(self) -> &'static [&'static str] {
        match self {
            Self::Pairing => &[],
            Self::Monitoring => &[tongxin_pairing::NAME],
            Self::Gateway => &[tongxin_pairing::NAME, tongxin_monitoring::NAME],
        }
    }

    /// What it may do at the broker.
    pub fn nats_user(self) -> NatsUser {
        let BrokerUser { name, publish, subscribe } = BrokerUser::of_service(self.name(), self.follows());
        NatsUser { name, publish, subscribe }
    }

    /// The one that was asked for, or all.
    pub fn selected(one: Option<Self>) -> Vec<Self> {
        one.map_or_else(|| Self::ALL.to_vec(), |one| vec![one])
    }
}

/// What operators are given is what `up` runs with.
#[test]
fn the_users_in_deploy_are_those_of_the_services() {
    let entries = ServiceName::ALL
        .map(|service| service.nats_user().entry(&format!("$NATS_{}_PASSWORD", service.name().to_uppercase())));
    let expected = format!("authorization {{ users: [\n{}] }}\n", entries.concat());
    let template = include_str!("../../../deploy/nats/users.conf");
    let users = template.split_once("authorization").map(|(_, users)| format!("authorization{users}"));
    assert_eq!(users, Some(expected), "deploy/nats/users.conf has to say this");
}
