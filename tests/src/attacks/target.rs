//! Whom an attack is against, and what it comes to.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Result;
use tongxin_platform::{
    access::{LocalKey, TokenRequest},
    clock::Clock,
    region::RegionCode,
};
use tongxin_proto::monitoring::v1::Department;

/// The region of those who attack: a village of another county than the good client's households.
pub const VILLAGE: &str = "441881100200";

/// Where the good client looks.
pub const CITY: &str = "441800000000";

/// Whom to attack.
#[derive(Clone)]
pub struct Target {
    /// The gateway, such as `127.0.0.1:7400`.
    pub address: String,
    /// Where the key is that signs tokens.
    pub data_dir: PathBuf,
}

impl Target {
    /// The gateway with an address such as `http://127.0.0.1:7400`.
    #[must_use]
    pub fn new(gateway: &str, data_dir: PathBuf) -> Self {
        Self { address: gateway.trim_start_matches("http://").to_owned(), data_dir }
    }

    /// A token of a subject with a role in [`VILLAGE`].
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, role: &str, subject: &str) -> Result<String> {
        self.token_in(VILLAGE, role, subject)
    }

    /// The same for another region.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token_in(&self, region: &str, role: &str, subject: &str) -> Result<String> {
        let request = TokenRequest {
            subject: subject.to_owned(),
            roles: vec![role.to_owned()],
            region: RegionCode::parse(region)?,
            department: (role == "department").then(|| Department::CivilAffairs.as_str_name().to_owned()),
            lifetime: Duration::from_hours(1),
        };
        Ok(LocalKey::in_folder(&self.data_dir)?.sign(&request, &Clock::system())?)
    }
}

/// What an attack has come to so far.
#[derive(Default)]
pub struct Tally {
    sent: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// What was begun: calls, streams, connections or frames.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How often that was refused, reset or cut off.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}
