//! `tongxin migrate`: brings the schemas of services up to date.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{db::SchemaBehind, service::Kind};

use crate::{
    lang::{lang, told},
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
        let mut conn = PgConnection::connect(url.expose_secret()).await.with_context(|| {
            told!(
                "cannot reach the database of {name} by migrate.{name}_url",
                "按 migrate.{name}_url 连接不上 {name} 的数据库"
            )
        })?;
        if args.check {
            behind.extend(lacking(kind, &mut conn).await?);
        } else {
            let ran = kind.migrations().run(&mut conn).await;
            let failed = || told!("migrating {name} failed", "更新 {name} 的数据库结构失败");
            let line = match ran.with_context(failed)? {
                0 => told!("{name}: was up to date", "{name}：本来就是最新的"),
                ran => told!("{name}: {ran} migration(s) ran", "{name}：已执行 {ran} 项更新"),
            };
            say!("{line}")?;
        }
    }
    if !behind.is_empty() {
        let behind = behind.join(lang().of(", ", "；"));
        bail!(told!("{behind}: run `tongxin migrate`", "{behind}：请运行 `tongxin migrate`"));
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
        bail!(told!(
            "no owner's URL is configured: set migrate.{name}_url in the settings or TONGXIN__MIGRATE__{}_URL",
            "没有填写数据表所有者的网址：请在设置中填写 migrate.{name}_url，或用环境变量 TONGXIN__MIGRATE__{}_URL",
            name.to_uppercase()
        ));
    }
    Ok(found)
}

/// Says what a schema lacks, or prints that it is up to date.
async fn lacking(kind: &Kind, conn: &mut PgConnection) -> Result<Option<String>> {
    let name = kind.name;
    match kind.migrations().check(conn).await {
        Ok(()) => {
            say!("{}", told!("{name}: up to date", "{name}：已是最新"))?;
            Ok(None)
        }
        Err(SchemaBehind::Behind(missing)) => Ok(Some(told!(
            "{name}: the schema lacks {missing} migration(s)",
            "{name}：数据库结构缺少 {missing} 项更新"
        ))),
        Err(error) => Err(error.into()),
    }
}
