//! Wrong, many and large calls.

use std::sync::Arc;

use anyhow::Result;
use futures::{future::join_all, stream};
use prost::Message as _;
use tongxin_proto::{POOL, monitoring::v1::FindHouseholdsRequest};

use super::{Tally, Target};
use crate::{Clients, entries::id_number, raw, wrong};

const REGISTER: &str = "/tongxin.monitoring.v1.HouseholdService/RegisterHousehold";

/// One wrong request after another, on two connections.
pub(super) async fn violations(target: Target, tally: Arc<Tally>) -> Result<()> {
    let form =
        POOL.get_message_by_name("tongxin.monitoring.v1.RegisterHouseholdRequest").unwrap_or_else(|| unreachable!());
    let worst = wrong::messages(&form).pop().map(|message| message.encode_to_vec()).unwrap_or_default();
    let clients = Clients::with_token(&format!("http://{}", target.address), Some(&target.token("village", "wrong")?))?;
    let attacker = || async {
        let connection = clients.connection()?;
        loop {
            tally.sent();
            if raw::call(&connection, REGISTER, stream::iter([worst.clone()])).await.is_err() {
                tally.refused();
            }
        }
    };
    let _: (Result<()>, Result<()>) = tokio::join!(attacker(), attacker());
    Ok(())
}

pub(super) async fn long_paths(target: Target, tally: Arc<Tally>) -> Result<()> {
    let connection = Clients::with_token(&format!("http://{}", target.address), None)?.connection()?;
    let path = format!("/tongxin.monitoring.v1.HouseholdService/{}", "x".repeat(20_000));
    loop {
        tally.sent();
        if raw::call(&connection, &path, stream::iter([Vec::new()])).await.is_err() {
            tally.refused();
        }
    }
}

/// The bodies are JSON that the contract would take, were there not so much of it.
pub(super) async fn large_json(target: Target, tally: Arc<Tally>) -> Result<()> {
    let (gateway, token) = (format!("http://{}", target.address), target.token("village", "large")?);
    let body = format!("{{\"household\":{{\"members\":[{}{{}}]}}}}", "{\"name\":\"\"},".repeat((4 << 20) / 12 - 10));
    loop {
        let posts = (0..64).map(|_| async {
            tally.sent();
            // All of them are wrong; those that are not taken at all say so by their code.
            match raw::post(&gateway, &token, REGISTER, body.as_bytes()).await {
                Ok((200, _)) => {}
                Ok(_) | Err(_) => tally.refused(),
            }
        });
        join_all(posts).await;
    }
}

pub(super) async fn look_ups(target: Target, tally: Arc<Tally>) -> Result<()> {
    let clients =
        Clients::with_token(&format!("http://{}", target.address), Some(&target.token("village", "curious")?))?;
    let mut households = clients.households()?;
    for person in 0.. {
        let request = FindHouseholdsRequest { id_number: id_number(1, person), ..Default::default() };
        tally.sent();
        if households.find_households(request).await.is_err() {
            tally.refused();
        }
    }
    Ok(())
}
