//! Streams and bodies that do not go on, and answers that nobody takes.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};
use tongxin_proto::pairing::v1::ListOrganisationsRequest;

use super::{
    Tally, Target,
    wire::{DATA, INITIAL_WINDOW, WINDOW_UPDATE, Wire},
};

const GRPC: &str = "application/grpc";
const CONNECT: &str = "application/connect+proto";

const SUBMIT: &str = "/tongxin.monitoring.v1.SignalService/SubmitWarnings";
const LIST: &str = "/tongxin.pairing.v1.PairingService/ListOrganisations";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECT: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// Connections that streams are spread over.
const CONNECTIONS: usize = 4;

/// Streams of each: together many more than there are places.
const STREAMS: usize = 128;

/// How long an attacker waits before it looks whether it was turned away.
const REST: Duration = Duration::from_millis(200);

/// Opens streams, and again wherever the connection was ended.
async fn keep_open(
    target: &Target,
    tally: &Arc<Tally>,
    (form, path): (&str, &str),
    tokens: &[Option<String>],
    every: Option<&[u8]>,
) -> Result<()> {
    loop {
        let mut held = Vec::new();
        for number in 0..CONNECTIONS {
            let Ok(mut wire) = Wire::open(&target.address, &[], Arc::clone(tally)).await else { continue };
            let mut streams = Vec::new();
            for stream in 0..STREAMS {
                let token = tokens[(number * STREAMS + stream) % tokens.len()].as_deref();
                tally.sent();
                let Ok(stream) = wire.call_in(form, path, token, false).await else { break };
                streams.push(stream);
            }
            held.push((wire, streams));
        }
        // Until a connection is gone; then all of it anew.
        while held.len() == CONNECTIONS && held.iter().all(|(wire, _)| !wire.is_over()) {
            sleep(REST).await;
            for (wire, streams) in &mut held {
                for stream in streams.iter().filter(|_| every.is_some()) {
                    let _ = wire.frame(DATA, 0, *stream, every.unwrap_or_default()).await;
                }
            }
        }
    }
}

pub(super) async fn silent(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token("department", "silent")?;
    keep_open(&target, &tally, (GRPC, SUBMIT), &[Some(token)], None).await
}

pub(super) async fn silent_of_one_subject(target: Target, tally: Arc<Tally>) -> Result<()> {
    let regions = [super::VILLAGE, "441881100201", "441881100202", "441881100203"];
    let tokens: Result<Vec<_>> =
        regions.iter().map(|region| target.token_in(region, "department", "many").map(Some)).collect();
    keep_open(&target, &tally, (GRPC, SUBMIT), &tokens?, None).await
}

/// The length of a message of 64 KiB, and of that a byte after the other.
pub(super) async fn trickle(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token("department", "trickle")?;
    keep_open(&target, &tally, (GRPC, SUBMIT), &[Some(token)], Some(&[0])).await
}

pub(super) async fn trickle_in_connect(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token("department", "trickle")?;
    keep_open(&target, &tally, (CONNECT, SUBMIT), &[Some(token)], Some(&[0])).await
}

pub(super) async fn watches(target: Target, tally: Arc<Tally>) -> Result<()> {
    keep_open(&target, &tally, (GRPC, WATCH), &[None], Some(&[0; 5])).await
}

pub(super) async fn slow_json(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token("village", "slow")?;
    let head = format!(
        "POST {LIST} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n\
         content-length: 1000\r\n\r\n{{"
    );
    let bodies = (0..128).map(|_| async {
        loop {
            tally.sent();
            let Ok(mut stream) = TcpStream::connect(&target.address).await else { continue };
            let _ = stream.write_all(head.as_bytes()).await;
            // It is answered, or cut off, before the body is there.
            let _ = stream.read(&mut [0; 64]).await;
            tally.refused();
            sleep(REST).await;
        }
    });
    futures::future::join_all(bodies).await.into_iter().collect()
}

/// Asks for pages with a window of so many bytes for each answer.
async fn ask(target: &Target, tally: &Arc<Tally>, window: u32, token: &str) -> Result<Vec<(Wire, Vec<u32>)>> {
    let page = ListOrganisationsRequest { page_size: 1_000, ..Default::default() }.encode_to_vec();
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut wire = Wire::open(&target.address, &[(INITIAL_WINDOW, window)], Arc::clone(tally)).await?;
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            tally.sent();
            let Ok(stream) = wire.call(LIST, Some(token), false).await else { break };
            if wire.message(stream, &page).await.is_err() {
                break;
            }
            streams.push(stream);
        }
        held.push((wire, streams));
    }
    Ok(held)
}

pub(super) async fn unread(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token_in("441800000000", "county", "unread")?;
    loop {
        let held = ask(&target, &tally, 0, &token).await?;
        while held.iter().all(|(wire, _)| !wire.is_over()) {
            sleep(REST).await;
        }
    }
}

/// Asks over and over for the descriptors of the largest services, in streams whose answers have no room.
pub(super) async fn unread_in_connect(target: Target, tally: Arc<Tally>) -> Result<()> {
    // file_containing_symbol
    let name = b"tongxin.monitoring.v1.CaseService";
    let question = [&[0x22, u8::try_from(name.len())?][..], name].concat();
    let length = u32::try_from(question.len())?.to_be_bytes();
    let questions = [&[0][..], &length, &question].concat().repeat(100);
    loop {
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS {
            let Ok(mut wire) = Wire::open(&target.address, &[(INITIAL_WINDOW, 0)], Arc::clone(&tally)).await else {
                continue;
            };
            for _ in 0..STREAMS {
                tally.sent();
                let Ok(stream) = wire.call_in(CONNECT, REFLECT, None, false).await else { break };
                if wire.frame(DATA, 0, stream, &questions).await.is_err() {
                    break;
                }
            }
            held.push(wire);
        }
        let refused = tally.turned_away();
        while held.iter().all(|wire| !wire.is_over()) && tally.turned_away() < refused + STREAMS as u64 {
            sleep(REST).await;
        }
    }
}

pub(super) async fn sipped(target: Target, tally: Arc<Tally>) -> Result<()> {
    let token = target.token_in("441800000000", "county", "sipped")?;
    loop {
        let mut held = ask(&target, &tally, 1, &token).await?;
        while held.iter().all(|(wire, _)| !wire.is_over()) {
            sleep(REST).await;
            for (wire, streams) in &mut held {
                for stream in streams {
                    let _ = wire.frame(WINDOW_UPDATE, 0, *stream, &1_u32.to_be_bytes()).await;
                }
            }
        }
    }
}
