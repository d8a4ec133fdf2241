//! `tongxin migrate`: brings the schemas of services up to date.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{db::SchemaBehind, service::Kind};

use crate::{
    services::{self, KINDS},
    settings::{Owners, Settings},
};

/// Brings the schemas of services up to date.
///
/// Logs in as the role that owns the tables, by `migrate.<service>_url` of the settings or
/// `TONGXIN__MIGRATE__<SERVICE>_URL`, such as `migrate.pairing_url`. `tongxin up` migrates by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin migrate --config tongxin.toml            all services that have a URL
  tongxin migrate --check --service pairing        fails when pairing's schema is behind")]
pub struct Args {
    /// Changes nothing, fails when a schema is behind
    #[arg(long)]
    check: bool,

    /// Only this service
    #[arg(long, value_parser = services::parser())]
    service: Option<&'static Kind>,

    /// Settings, TOML or YAML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<()> {
    let settings = Settings::load(args.config.as_deref())?;
    let mut behind = Vec::new();
    for (kind, url) in databases(args.service, &settings.migrate)? {
        let name = kind.name;
        let mut conn = PgConnection::connect(url.expose_secret())
            .await
            .with_context(|| format!("cannot reach the database of {name} by migrate.{name}_url"))?;
        if args.check {
            behind.extend(lacking(kind, &mut conn).await?);
        } else {
            let ran = kind.migrations().run(&mut conn).await;
            match ran.with_context(|| format!("migrating {name} failed"))? {
                0 => say!("{name}: was up to date")?,
                ran => say!("{name}: {ran} migration(s) ran")?,
            }
        }
    }
    if !behind.is_empty() {
        bail!("{}: run `tongxin migrate`", behind.join(", "));
    }
    Ok(())
}

/// Services with an owner's URL; a requested one must have it.
pub(super) fn databases<'owners>(
    asked: Option<&'static Kind>,
    owners: &'owners Owners,
) -> Result<Vec<(&'static Kind, &'owners SecretString)>> {
    let with_url = |kind| owners.url(kind).map(|url| (kind, url));
    let found: Vec<_> = services::selected(asked).into_iter().filter_map(with_url).collect();
    if found.is_empty() {
        let name = asked.unwrap_or(KINDS[0]).name;
        bail!(
            "no owner's URL is configured: set migrate.{name}_url in the settings or TONGXIN__MIGRATE__{}_URL",
            name.to_uppercase()
        );
    }
    Ok(found)
}

/// Says what a schema lacks, or prints that it is up to date.
async fn lacking(kind: &Kind, conn: &mut PgConnection) -> Result<Option<String>> {
    let name = kind.name;
    match kind.migrations().check(conn).await {
        Ok(()) => {
            say!("{name}: up to date")?;
            Ok(None)
        }
        Err(SchemaBehind::Behind(missing)) => Ok(Some(format!("{name}: the schema lacks {missing} migration(s)"))),
        Err(error) => Err(error.into()),
    }
}
