//! Regions and organisations to ask for.

use anyhow::{Context as _, Result, ensure};
use futures::stream;
use tongxin_proto::{
    Date,
    batch::v1::BatchOptions,
    pairing::v1::{
        BatchRegisterOrganisationsRequest, ImportRegionsRequest, OrganisationRows, RegionEdition, RegionRow,
        RegionRows, batch_register_organisations_request, import_regions_request::Part,
    },
    register::v1::RegionLevel,
};

use super::{CITY, VILLAGE};
use crate::{
    Clients,
    entries::{recipient, request_id},
};

/// Organisations of [`VILLAGE`]: a page of them is larger than a connection's first window.
const ORGANISATIONS: usize = 400;

/// A register with a few villages of two counties, and organisations in [`VILLAGE`].
///
/// # Errors
/// What the services answer.
pub async fn lay_ground(clients: &Clients) -> Result<()> {
    let edition = RegionEdition {
        request_id: request_id(),
        effective_from: Some(Date { year: 2021, month: 1, day: 1 }),
        ..Default::default()
    };
    let parts = [Part::Edition(edition), Part::Rows(RegionRows { rows: register() })];
    let requests = parts.map(|part| ImportRegionsRequest { part: Some(part) });
    let mut answers = clients.pairing()?.import_regions(stream::iter(requests)).await?.into_inner();
    let mut last = None;
    while let Some(answer) = answers.message().await? {
        last = answer.result;
    }
    last.context("the register was not imported")?;

    let rows = (0..ORGANISATIONS).map(|number| recipient(&format!("党支部{number}"), VILLAGE)).collect();
    let parts = [
        batch_register_organisations_request::Part::Options(BatchOptions {
            request_id: request_id(),
            all_or_nothing: false,
        }),
        batch_register_organisations_request::Part::Rows(OrganisationRows { rows }),
    ];
    let requests = parts.map(|part| BatchRegisterOrganisationsRequest { part: Some(part) });
    let answer = clients.pairing()?.batch_register_organisations(stream::iter(requests)).await?.into_inner();
    let answer = answer.outcome.unwrap_or_default();
    ensure!(answer.refused == 0, "{:?}", answer.errors.first());
    Ok(())
}

fn register() -> Vec<RegionRow> {
    let row = |code: &str, level: RegionLevel, parent: &str| RegionRow {
        name: format!("地区{code}"),
        code: code.to_owned(),
        level: level.into(),
        parent_code: parent.to_owned(),
        assisted: level == RegionLevel::Village,
    };
    let mut rows = vec![row("440000000000", RegionLevel::Province, ""), row(CITY, RegionLevel::City, "440000000000")];
    for county in ["441881", "441823"] {
        let (code, town) = (format!("{county}000000"), format!("{county}100000"));
        rows.push(row(&code, RegionLevel::County, CITY));
        rows.push(row(&town, RegionLevel::Town, &code));
        rows.extend((200..204).map(|village| row(&format!("{county}100{village}"), RegionLevel::Village, &town)));
    }
    rows
}
