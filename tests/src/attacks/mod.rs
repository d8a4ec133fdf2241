//! What somebody with a small token, or none, does to stop others; and a good client who calls meanwhile.
//!
//! | file | |
//! |---|---|
//! | `good`    | the client who must not notice |
//! | `ground`  | regions and organisations to ask for |
//! | `target`  | whom an attack is against, and what it comes to |
//! | `wire`    | HTTP/2 frame by frame, as no library would send it |
//! | `calls`   | wrong, many and large calls |
//! | `streams` | streams and bodies that do not go on, answers that nobody takes |
//! | `sockets` | connections that do not call, and floods of frames |

mod calls;
mod good;
mod ground;
mod sockets;
mod streams;
mod target;
mod wire;

use std::{pin::Pin, sync::Arc};

use anyhow::Result;

pub use good::{Good, Meanwhile};
pub use ground::lay_ground;
pub use target::{CITY, Tally, Target, VILLAGE};

/// Limits of a program that is attacked, as `up --limits` takes them: small enough that a few connections reach them, and
/// with seconds where others have half a minute.
pub const LIMITS: &str = r#"{
    "max_requests": 96, "max_streaming_requests": 48, "max_connections": 192, "max_body_bytes": 33554432,
    "idle_seconds": 2, "stall_seconds": 2, "send_seconds": 4
}"#;

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
