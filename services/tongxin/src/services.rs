//! The services that this program can be.

use clap::ValueEnum;
use tongxin_platform::db::Migrations;

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

    /// The one that was asked for, or all.
    pub fn selected(one: Option<Self>) -> Vec<Self> {
        one.map_or_else(|| Self::ALL.to_vec(), |one| vec![one])
    }
}
