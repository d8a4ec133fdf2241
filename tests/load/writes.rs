//! Single pairings, beside a bare transaction with the same statements.

use std::sync::Arc;

use chrono::NaiveDate;
use tongxin_tests::{
    Clients,
    entries::{party_pairing, recipient, supporter},
};

use super::{
    bare::Bare,
    batches,
    rounds::{ROUNDS, Round, Table, round},
    world::{VILLAGES, World, village},
};

/// Calls of a round, over all clients.
const CALLS: usize = 3_200;

pub async fn measure(world: &World, table: &mut Table) -> anyhow::Result<()> {
    let bare = Bare::of(world).await?;
    for clients in [1, 16, 64] {
        let (mut here, mut direct, mut bare_rounds) = (Vec::new(), Vec::new(), Vec::new());
        let direct_clients = world.clients.at(&world.instance.services["pairing"].grpc);
        for _ in 0..ROUNDS {
            let calls = if clients == 1 { CALLS / 8 } else { CALLS };
            here.push(establish(world, &world.clients, clients, calls).await?);
            direct.push(establish(world, &direct_clients, clients, calls).await?);
            bare_rounds.push(bare.establish(clients, pairs(world, calls).await?).await?);
        }
        let bare_round = Round::median(bare_rounds);
        let what = format!("EstablishPairing through the gateway, {clients} clients");
        table.beside(&what, Round::median(here), bare_round);
        table.beside(&format!("the same, straight to pairing, {clients} clients"), Round::median(direct), bare_round);
    }
    Ok(())
}

/// Two organisations that are paired with nobody yet.
pub struct Pair {
    pub supporter: String,
    pub recipient: String,
    /// The recipient's.
    pub village: String,
}

/// Registers organisations in all villages by turns.
pub async fn pairs(world: &World, count: usize) -> anyhow::Result<Arc<Vec<Pair>>> {
    let supporters = (0..count).map(|number| supporter(&format!("第{number}支持单位党支部"))).collect();
    let villages: Vec<String> = (0..count).map(|number| village(number % VILLAGES)).collect();
    let recipients = villages.iter().map(|village| recipient("村党支部", village)).collect();
    let supporters = batches::register(&world.clients, supporters).await?;
    let recipients = batches::register(&world.clients, recipients).await?;
    let pairs = supporters.into_iter().zip(recipients).zip(villages);
    Ok(Arc::new(pairs.map(|((supporter, recipient), village)| Pair { supporter, recipient, village }).collect()))
}

async fn establish(world: &World, clients: &Clients, count: usize, calls: usize) -> anyhow::Result<Round> {
    let pairs = pairs(world, calls).await?;
    let each = calls / count;
    let pairing = clients.pairing()?;
    let starts_on = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
    round(count, each, move |client, number| {
        let (mut pairing, pairs) = (pairing.clone(), Arc::clone(&pairs));
        async move {
            let pair = &pairs[client * each + number];
            pairing.establish_pairing(party_pairing(&pair.supporter, &pair.recipient, starts_on)).await?;
            Ok(())
        }
    })
    .await
}
