//! The running program, a register, and an empty database for bare SQL.

use std::{path::Path, time::Instant};

use anyhow::Context as _;
use futures::stream;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tongxin_proto::{
    pairing::v1::{ImportRegionsRequest, RegionEdition, RegionRow, RegionRows, import_regions_request::Part},
    register::v1::RegionLevel,
};
use tongxin_tests::{
    Clients, Instance, Program,
    entries::{GUANGZHOU, request_id},
};

/// The counties of Qingyuan.
pub const COUNTIES: [&str; 8] = ["441802", "441803", "441821", "441823", "441825", "441826", "441881", "441882"];

/// Villages of a town.
const TOWN_VILLAGES: usize = 100;

/// Villages of a county.
pub const COUNTY_VILLAGES: usize = 500;

/// Villages of the register.
pub const VILLAGES: usize = COUNTY_VILLAGES * COUNTIES.len();

pub struct World {
    pub program: Program,
    pub instance: Instance,
    pub clients: Clients,
    /// Pairing's own database, as the superuser.
    pub bare: PgPool,
}

pub fn village(number: usize) -> String {
    let (county, town) = (number / COUNTY_VILLAGES, number % COUNTY_VILLAGES / TOWN_VILLAGES);
    format!("{}{}{}", COUNTIES[county], town + 110, number % TOWN_VILLAGES + 200)
}

/// The county of a village.
pub fn county(village: &str) -> String {
    format!("{}000000", &village[..6])
}

/// The town of a village.
fn town(village: &str) -> String {
    format!("{}000", &village[..9])
}

impl World {
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut program = Program::start(folder, &[])?;
        let instance = program.instance().await?;
        let clients = Clients::of(&instance)?;
        let bare = bare_pool(&instance).await?;
        let world = Self { program, instance, clients, bare };
        world.import().await?;
        Ok(world)
    }

    /// Stops the program and starts it again; seconds until it was ready, and since Postgres answered.
    pub async fn restart(self, folder: &Path) -> anyhow::Result<(f64, f64)> {
        let url = self.instance.databases["pairing"].clone();
        self.bare.close().await;
        self.program.stop().await?;
        let started = Instant::now();
        let mut program = Program::start(folder, &[])?;
        let postgres = tokio::spawn(async move {
            loop {
                let pool = PgPoolOptions::new().max_connections(1).connect(&url).await;
                if pool.is_ok() {
                    return Instant::now();
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        });
        program.instance().await?;
        let ready = Instant::now();
        let since_postgres = ready.duration_since(postgres.await?);
        program.stop().await?;
        Ok((ready.duration_since(started).as_secs_f64(), since_postgres.as_secs_f64()))
    }

    async fn import(&self) -> anyhow::Result<()> {
        let edition = RegionEdition {
            request_id: request_id(),
            effective_from: Some(tongxin_proto::Date { year: 2021, month: 1, day: 1 }),
            ..Default::default()
        };
        let parts = [Part::Edition(edition), Part::Rows(RegionRows { rows: register() })];
        let requests = parts.map(|part| ImportRegionsRequest { part: Some(part) });
        let mut answers = self.clients.pairing()?.import_regions(stream::iter(requests)).await?.into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await? {
            last = answer.result;
        }
        last.context("the register was not imported")?;
        Ok(())
    }
}

async fn bare_pool(instance: &Instance) -> anyhow::Result<PgPool> {
    let url = instance.databases["pairing"].replace("user=tongxin_app", "user=postgres");
    Ok(PgPoolOptions::new().max_connections(4).connect(&url).await?)
}

fn register() -> Vec<RegionRow> {
    let row = |code: String, level: RegionLevel, parent: &str, assisted| RegionRow {
        name: format!("地区{code}"),
        code,
        level: level.into(),
        parent_code: parent.to_owned(),
        assisted,
    };
    let mut rows = vec![
        row("440000000000".to_owned(), RegionLevel::Province, "", false),
        row(GUANGZHOU.to_owned(), RegionLevel::City, "440000000000", false),
        row("441800000000".to_owned(), RegionLevel::City, "440000000000", false),
    ];
    let villages = || (0..VILLAGES).map(village);
    for first in villages().step_by(COUNTY_VILLAGES) {
        rows.push(row(county(&first), RegionLevel::County, "441800000000", false));
    }
    for first in villages().step_by(TOWN_VILLAGES) {
        rows.push(row(town(&first), RegionLevel::Town, &county(&first), true));
    }
    rows.extend(villages().map(|code| row(code.clone(), RegionLevel::Village, &town(&code), true)));
    rows
}
