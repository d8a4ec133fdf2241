//! `tongxin log`: the event logs of services.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{
    config,
    db::{self, DbConfig},
    log::{self, Verified},
};

use super::migrate;
use crate::{
    instance::{DATA_DIR, Instance},
    progress::Progress,
    services::ServiceName,
    settings::Settings,
};

/// Looks after the event logs of services.
#[derive(Debug, Subcommand)]
pub enum What {
    Verify(Verify),
    NewEpoch(NewEpoch),
}

/// States that a service's database was restored to the past, so that others forget what they heard since.
///
/// Services that follow the log read it anew from its start; figures are right again when they have. Needs the URL of the
/// role that owns the tables, as `tongxin migrate` does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  tongxin log new-epoch --service pairing --config tongxin.toml   after pairing's database was restored from a backup")]
pub struct NewEpoch {
    /// The service whose database was restored
    #[arg(long)]
    service: ServiceName,

    /// Settings with the owner's URL, TOML or YAML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Checks that nobody altered an event log: every number is there and every event fits the hash chain.
///
/// Keep the hash that it prints elsewhere: a later check that comes to another one at the same number shows that
/// the whole chain was made anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin log verify                                    all services of the running `up`
  tongxin log verify --service pairing --config t.toml  a database by its URL in the settings")]
pub struct Verify {
    /// Only this service
    #[arg(long)]
    service: Option<ServiceName>,

    /// Settings whose databases are checked, instead of a running `up`'s
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder of the running `tongxin up`
    #[arg(long, value_name = "FOLDER", default_value = DATA_DIR)]
    data_dir: PathBuf,

    /// For programs
    #[arg(long)]
    json: bool,
}

pub async fn run(what: What) -> Result<()> {
    match what {
        What::Verify(args) => verify_all(args).await,
        What::NewEpoch(args) => new_epoch(&args).await,
    }
}

async fn new_epoch(args: &NewEpoch) -> Result<()> {
    let settings: Settings = config::load(args.config.as_deref())?;
    for (service, url) in migrate::databases(Some(args.service), &settings.migrate)? {
        let name = service.name();
        let mut owner = PgConnection::connect(url.expose_secret())
            .await
            .with_context(|| format!("cannot reach the database of {name} by migrate.{name}_url"))?;
        let epoch = log::begin_epoch(&mut owner).await.with_context(|| format!("{name} got no new epoch"))?;
        say!("{name}: its log is in epoch {epoch}")?;
    }
    Ok(())
}

async fn verify_all(args: Verify) -> Result<()> {
    let mut answers = Vec::new();
    for (service, url) in databases(&args)? {
        let Verified { events, hash } = verify(service, &url).await?;
        let (name, hash) = (service.name(), hex::encode(hash));
        if args.json {
            answers.push(json!({"service": name, "events": events, "hash": hash}));
        } else if events == 0 {
            say!("{name}: its log is empty")?;
        } else {
            say!("{name}: {events} events, all sound; the newest has the hash {hash}")?;
        }
    }
    if args.json {
        say!("{:#}", json!(answers))?;
    }
    Ok(())
}

async fn verify(service: ServiceName, url: &str) -> Result<Verified> {
    let name = service.name();
    let config = DbConfig { max_connections: 1, ..DbConfig::at(url) };
    let pool = db::open(&config).await.with_context(|| format!("cannot reach the database of {name}"))?;
    let head = log::head(&pool).await?;
    let mut progress = Progress::begin(format!("checking the log of {name}"), u64::try_from(head.seq).ok());
    let verified = log::verify(&pool, |seq| progress.reach(seq.unsigned_abs())).await;
    progress.end(if verified.is_ok() { "done" } else { "not sound" });
    verified.with_context(|| format!("the log of {name} is not sound"))
}

fn databases(args: &Verify) -> Result<Vec<(ServiceName, String)>> {
    let services = ServiceName::selected(args.service);
    let found: Vec<_> = if let Some(file) = &args.config {
        let settings: Settings = config::load(Some(file))?;
        let url = |service| settings.database(service).map(|db| db.url.expose_secret().to_owned());
        services.into_iter().filter_map(|service| Some((service, url(service)?))).collect()
    } else {
        let running = Instance::find(&args.data_dir)?;
        let url = |service: ServiceName| running.databases.get(service.name()).cloned();
        services.into_iter().filter_map(|service| Some((service, url(service)?))).collect()
    };
    if found.is_empty() {
        bail!(
            "the settings name no database to check: set pairing.database.url, monitoring.database.url or gateway.database.url"
        );
    }
    Ok(found)
}
