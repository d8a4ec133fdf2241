//! What somebody with a small token, or none, does to stop others; and a good client who calls meanwhile.
//!
//! | file | |
//! |---|---|
//! | `good`    | the client who must not notice |
//! | `ground`  | regions and organisations to ask for |
//! | `wire`    | HTTP/2 frame by frame, as no library would send it |
//! | `calls`   | wrong, many and large calls |
//! | `streams` | streams and bodies that do not go on, answers that nobody takes |
//! | `sockets` | connections that do not call, and floods of frames |

mod calls;
mod good;
mod ground;
mod sockets;
mod streams;
mod wire;

use std::{
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tongxin_platform::{
    access::{LocalKey, TokenRequest},
    clock::Clock,
    region::RegionCode,
};
use tongxin_proto::monitoring::v1::Department;

pub use good::{Good, Meanwhile};
pub use ground::lay_ground;

/// Limits of a program that is attacked, as `up --limits` takes them: small enough that a few connections reach them, and
/// with seconds where others have half a minute.
pub const LIMITS: &str = r#"{
    "max_requests": 96, "max_streaming_requests": 48, "max_connections": 192, "max_body_bytes": 33554432,
    "idle_seconds": 2, "stall_seconds": 2, "send_seconds": 4
}"#;

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
    fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn refused(&self) {
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

type Going = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Something that goes on until it is dropped.
#[derive(Clone, Copy)]
pub struct Attack {
    /// What it does, in words.
    pub name: &'static str,
    /// Whether it has to be turned away. Frames that cost next to nothing are answered.
    pub is_refused: bool,
    begin: fn(Target, Arc<Tally>) -> Going,
}

impl std::fmt::Debug for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// An attack that goes on.
pub struct Running {
    tally: Arc<Tally>,
    going: tokio::task::JoinHandle<Result<()>>,
}

impl Attack {
    /// Begins it in a task of its own.
    #[must_use]
    pub fn begin(self, target: &Target) -> Running {
        let tally = Arc::<Tally>::default();
        let going = tokio::spawn((self.begin)(target.clone(), Arc::clone(&tally)));
        Running { tally, going }
    }
}

impl Running {
    /// How far it is.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Ends it; says why, if it could not be carried out.
    ///
    /// # Errors
    /// What kept the attacker from attacking.
    pub async fn end(self) -> Result<Arc<Tally>> {
        self.going.abort();
        match self.going.await {
            Ok(done) => done?,
            Err(ended) if ended.is_cancelled() => {}
            Err(panicked) => return Err(panicked.into()),
        }
        Ok(self.tally)
    }
}

macro_rules! attacks {
    ($($name:ident: $text:literal, $is_refused:literal = $begin:expr;)*) => {
        $(#[doc = $text] pub const $name: Attack = Attack { name: $text, is_refused: $is_refused, begin: |target, tally| Box::pin($begin(target, tally)) };)*
        /// All of them.
        pub const ALL: &[Attack] = &[$($name),*];
    };
}

attacks! {
    VIOLATIONS: "requests that break hundreds of rules", true = calls::violations;
    LONG_PATHS: "paths of 20 KB without a token", true = calls::long_paths;
    LARGE_JSON: "64 JSON bodies of 4 MiB at once", true = calls::large_json;
    LOOK_UPS: "an ID number is tried digit by digit", true = calls::look_ups;
    SILENT_STREAMS: "streams that are opened and say nothing", true = streams::silent;
    ONE_SUBJECT: "the same with many tokens of one subject", true = streams::silent_of_one_subject;
    TRICKLE: "streams that send a byte now and then", true = streams::trickle;
    TRICKLE_IN_CONNECT: "the same in Connect", true = streams::trickle_in_connect;
    SLOW_JSON: "JSON bodies that do not go on", true = streams::slow_json;
    UNREAD: "answers that nobody reads", true = streams::unread;
    UNREAD_IN_CONNECT: "streams of answers in Connect that nobody reads", true = streams::unread_in_connect;
    SIPPED: "answers that are read byte by byte", true = streams::sipped;
    WATCHES: "watches of health without a token", true = streams::watches;
    IDLE: "connections that make no call", true = sockets::idle;
    SILENT_SOCKETS: "sockets that say nothing", true = sockets::silent;
    HALF_HEADS: "half the head of a request", true = sockets::half_heads;
    RAPID_RESET: "calls that are given up at once", true = sockets::rapid_reset;
    PINGS: "a flood of PING and SETTINGS", false = sockets::pings;
    CONTINUATIONS: "headers that do not end", true = sockets::continuations;
}
