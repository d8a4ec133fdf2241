//! Batches of organisations, beside COPY of the same rows.

use std::time::Instant;

use futures::stream;
use sqlx::PgPool;
use tongxin_proto::{
    batch::v1::BatchOptions,
    pairing::v1::{
        BatchRegisterOrganisationsRequest, OrganisationDraft, OrganisationRows,
        batch_register_organisations_request::Part,
    },
};
use tongxin_tests::{
    Clients,
    entries::{recipient, request_id},
};

use super::{
    rounds::{ROUNDS, Table, median, ratio},
    world::{VILLAGES, World, village},
};

const ROWS: usize = 100_000;
const MESSAGE_ROWS: usize = 2_000;

/// Registers organisations and returns their identifiers.
pub async fn register(clients: &Clients, drafts: Vec<OrganisationDraft>) -> anyhow::Result<Vec<String>> {
    let options = Part::Options(BatchOptions { request_id: request_id(), all_or_nothing: false });
    let rows = drafts.chunks(MESSAGE_ROWS).map(|rows| Part::Rows(OrganisationRows { rows: rows.to_vec() }));
    let parts: Vec<_> = std::iter::once(options).chain(rows).collect();
    let requests = parts.into_iter().map(|part| BatchRegisterOrganisationsRequest { part: Some(part) });
    let answer = clients
        .pairing()?
        .max_decoding_message_size(64 << 20)
        .batch_register_organisations(stream::iter(requests.collect::<Vec<_>>()))
        .await?;
    let answer = answer.into_inner().outcome.unwrap_or_default();
    anyhow::ensure!(answer.refused == 0, "rows were refused: {:?}", answer.errors.first());
    Ok(answer.ids)
}

fn drafts() -> Vec<OrganisationDraft> {
    (0..ROWS).map(|number| recipient(&format!("第{number}党支部"), &village(number % VILLAGES))).collect()
}

pub async fn measure(world: &World, table: &mut Table) -> anyhow::Result<()> {
    let (mut here, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let drafts = drafts();
        let text = copy_text(&drafts);
        let started = Instant::now();
        register(&world.clients, drafts).await?;
        here.push(ratio(ROWS, started.elapsed()));
        bare.push(copy(&world.bare, &text).await?);
    }
    table.rates("batch registration, rows (bare: COPY into the same table)", median(here), median(bare));
    Ok(())
}

fn copy_text(drafts: &[OrganisationDraft]) -> String {
    let line = |draft: &OrganisationDraft| {
        format!(
            "{}\t{}\tparty_organisation\trecipient\tvillage_collective\t{}\t1\n",
            request_id(),
            draft.name,
            draft.region_code
        )
    };
    drafts.iter().map(line).collect()
}

/// Into a table of the same columns, constraints and indexes.
async fn copy(pool: &PgPool, text: &str) -> anyhow::Result<f64> {
    let mut conn = pool.acquire().await?;
    sqlx::query("DROP TABLE IF EXISTS bare_organisation").execute(&mut *conn).await?;
    sqlx::query("CREATE TABLE bare_organisation (LIKE organisation INCLUDING ALL)").execute(&mut *conn).await?;
    let started = Instant::now();
    let columns = "organisation_id, name, kind, side, host_kind, region_code, version";
    let mut copy = conn.copy_in_raw(&format!("COPY bare_organisation ({columns}) FROM STDIN")).await?;
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(ratio(ROWS, started.elapsed()))
}
