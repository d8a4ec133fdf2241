//! What tests run on: private servers once for each test binary, a database for each test.

pub mod certificates;
pub mod contract;
mod database;
mod lines;
mod plans;
pub mod register;
mod running;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tongxin_proto::Contract;
use tongxin_servers::Servers;

use crate::{
    access::{Access, AccessConfig, Credentials, IssuerConfig, LocalKey, TokenRequest},
    broker::{self, BrokerConfig},
    clock::Clock,
    limit::HourlyLimits,
    personal::KeyVersion,
    region::RegionCode,
    service::{Build, Shared},
};

pub use database::Database;
pub use lines::Lines;
pub use plans::Plans;
pub use running::Running;

static SERVERS: OnceCell<Servers> = OnceCell::const_new();

/// Private servers, shared by the tests of a binary.
///
/// # Panics
/// When they do not start.
pub async fn servers() -> &'static Servers {
    SERVERS
        .get_or_init(|| async {
            // Shown for a test that failed; fails itself only where a test has set it up before.
            let _ = tracing_subscriber::fmt().with_test_writer().try_init();
            Servers::temporary().await.expect("the private servers start")
        })
        .await
}

/// What the services of a test share: a clock, a key that signs tokens, the broker.
pub struct TestWorld {
    /// The time, which stands still unless it is set.
    pub clock: Clock,
    /// What services need to start.
    pub shared: Shared,
    keys: TempDir,
}

impl TestWorld {
    /// The file of a key by which requests are known again.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn request_key_files(&self) -> BTreeMap<KeyVersion, PathBuf> {
        let file = self.keys.path().join("requests.hex");
        std::fs::write(&file, "07".repeat(32)).expect("a folder for keys");
        BTreeMap::from([(KeyVersion::FIRST, file)])
    }

    /// The settings of a service on a database, on free ports, with some of its own in JSON.
    ///
    /// # Panics
    /// When they are none.
    #[must_use]
    pub fn settings<B: Build>(&self, database: &Database, own: Value) -> B {
        let mut section = json!({ "database": { "url": database.app_url } });
        if B::KIND.needs.request_keys {
            section["request_key_files"] = json!(self.request_key_files());
        }
        let Value::Object(own) = own else { panic!("settings have names") };
        section.as_object_mut().expect("an object").extend(own);
        serde_json::from_value(section).expect("settings that can be read")
    }
}

impl TestWorld {
    /// A world at a moment.
    ///
    /// # Panics
    /// When the servers or keys cannot be had.
    pub async fn at(now: DateTime<Utc>) -> Self {
        Self::with_limits(now, BTreeMap::new()).await
    }

    /// A world at a moment, in which roles may do what a contract grants them.
    ///
    /// # Panics
    /// When the servers or keys cannot be had.
    pub async fn of(contract: &Contract, now: DateTime<Utc>) -> Self {
        Self::with_access(now, AccessConfig::of(contract)).await
    }

    /// A world at a moment, in which some roles have other hourly limits than the usual ones.
    ///
    /// # Panics
    /// When the servers or keys cannot be had.
    pub async fn with_limits(now: DateTime<Utc>, limits: BTreeMap<String, HourlyLimits>) -> Self {
        Self::with_access(now, AccessConfig { limits, ..AccessConfig::default() }).await
    }

    /// A world at a moment, in which some roles have other permissions than the contract grants them.
    ///
    /// # Panics
    /// When the servers or keys cannot be had.
    pub async fn with_roles(now: DateTime<Utc>, roles: BTreeMap<String, Vec<String>>) -> Self {
        let mut access = AccessConfig::default();
        access.roles.extend(roles);
        Self::with_access(now, access).await
    }

    async fn with_access(now: DateTime<Utc>, access: AccessConfig) -> Self {
        let clock = Clock::fixed(now);
        let keys = TempDir::new().expect("a folder for keys");
        let key = LocalKey::in_folder(keys.path()).expect("a key");
        let access = AccessConfig { issuers: vec![IssuerConfig { may_be_national: true, ..key.issuer() }], ..access };
        let request = token_request("service:test", &["system"], "440000000000");
        let nats = BrokerConfig { url: servers().await.nats().url().into(), ..BrokerConfig::default() };
        let shared = Shared {
            access: Arc::new(Access::new(access, clock.clone()).expect("the key is good")),
            jetstream: broker::connect(&nats, "test").await.expect("the broker's URL is good"),
            credentials: Credentials::local(key, request, clock.clone()),
            registry: prometheus::Registry::new(),
            clock: clock.clone(),
        };
        Self { clock, shared, keys }
    }

    /// A token for a subject with a role, in a region, good for an hour.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn token(&self, role: &str, region: &str) -> String {
        self.token_of(&format!("{role}@{region}"), role, region)
    }

    /// The JSON Web Key Set by which its tokens are checked, as an issuer would serve it.
    ///
    /// # Panics
    /// When the key cannot be read.
    #[must_use]
    pub fn key_set(&self) -> String {
        let pem = std::fs::read_to_string(self.keys.path().join("token.pub.pem")).expect("the key is there");
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(base64).expect("it is PEM");
        // What is before it says that this is a key for Ed25519.
        let key = BASE64_URL_SAFE_NO_PAD.encode(&der[der.len() - 32..]);
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": key }] }).to_string()
    }

    /// The same for a subject that is the same whatever its role and region.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn token_of(&self, subject: &str, role: &str, region: &str) -> String {
        let key = LocalKey::in_folder(self.keys.path()).expect("the key is there");
        let request = token_request(subject, &[role], region);
        key.sign(&request, &self.clock).expect("it signs")
    }

    /// A token for the role `department` of somebody who speaks for one.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn department_token(&self, department: &str, region: &str) -> String {
        let key = LocalKey::in_folder(self.keys.path()).expect("the key is there");
        let request = token_request(&format!("{department}@{region}"), &["department"], region);
        let request = TokenRequest { department: Some(department.to_owned()), ..request };
        key.sign(&request, &self.clock).expect("it signs")
    }
}

fn token_request(subject: &str, roles: &[&str], region: &str) -> TokenRequest {
    TokenRequest {
        subject: subject.to_owned(),
        roles: roles.iter().map(ToString::to_string).collect(),
        region: RegionCode::parse_of_caller(region).expect("a region code"),
        department: None,
        lifetime: Duration::from_hours(1),
    }
}

/// A moment at which tests take place.
///
/// # Panics
/// Never: it is one.
#[must_use]
pub fn noon() -> DateTime<Utc> {
    "2025-06-01T04:00:00Z".parse().expect("a moment")
}

/// Waits until something holds.
///
/// # Panics
/// When it does not within half a minute.
pub async fn eventually<Outcome: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> Outcome) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within half a minute: {what}");
}
