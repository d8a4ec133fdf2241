//! Single pairings, beside a bare transaction with the same statements.

use std::sync::Arc;

use chrono::NaiveDate;
use tongxin_tests::{
    Clients,
    entries::{party_pairing, recipient, supporter},
};

use super::{
    bare, batches,
    rounds::{ROUNDS, Round, Table, round},
    world::{VILLAGES, World, village},
};

/// Calls of a round, over all clients.
const CALLS: usize = 3_200;

pub async fn measure(world: &World, table: &mut Table) -> anyhow::Result<()> {
    for clients in [1, 16, 64] {
        let (mut here, mut direct, mut bare_rounds) = (Vec::new(), Vec::new(), Vec::new());
        let direct_clients = world.clients.at(&world.instance.services["pairing"].grpc);
        for _ in 0..ROUNDS {
            let calls = if clients == 1 { CALLS / 8 } else { CALLS };
            here.push(establish(world, &world.clients, clients, calls).await?);
            direct.push(establish(world, &direct_clients, clients, calls).await?);
            let pairs = pairs(world, calls).await?;
            bare_rounds.push(bare::establish(&world.bare, clients, pairs).await?);
        }
        let bare_round = Round::median(bare_rounds);
        let what = format!("EstablishPairing through the gateway, {clients} clients");
        table.beside(&what, Round::median(here), bare_round);
        table.beside(&format!("the same, straight to pairing, {clients} clients"), Round::median(direct), bare_round);
    }
    Ok(())
}

/// Organisations that are paired with nobody yet.
pub async fn pairs(world: &World, count: usize) -> anyhow::Result<Arc<Vec<(String, String, i64)>>> {
    let supporters = (0..count).map(|number| supporter(&format!("第{number}支持单位党支部"))).collect();
    let villages: Vec<String> = (0..count).map(|number| village(number % VILLAGES)).collect();
    let recipients = villages.iter().map(|village| recipient("村党支部", village)).collect();
    let supporters = batches::register(&world.clients, supporters).await?;
    let recipients = batches::register(&world.clients, recipients).await?;
    let codes = villages.iter().map(|code| code.parse::<i64>()).collect::<Result<Vec<_>, _>>()?;
    let pairs = supporters.into_iter().zip(recipients).zip(codes);
    Ok(Arc::new(pairs.map(|((supporter, recipient), code)| (supporter, recipient, code)).collect()))
}

async fn establish(world: &World, clients: &Clients, count: usize, calls: usize) -> anyhow::Result<Round> {
    let pairs = pairs(world, calls).await?;
    let each = calls / count;
    let pairing = clients.pairing()?;
    let starts_on = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
    round(count, each, move |client, number| {
        let (mut pairing, pairs) = (pairing.clone(), Arc::clone(&pairs));
        async move {
            let (supporter, recipient, _) = &pairs[client * each + number];
            pairing.establish_pairing(party_pairing(supporter, recipient, starts_on)).await?;
            Ok(())
        }
    })
    .await
}
