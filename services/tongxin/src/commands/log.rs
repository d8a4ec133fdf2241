//! `tongxin log`: the event logs of services.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{
    db::{self, DbConfig},
    log::{self, Verified},
    service::Kind,
};

use super::migrate;
use crate::{
    instance::DATA_DIR,
    lang::{lang, told},
    progress::Progress,
    services::{self, KINDS},
    settings::Settings,
    up::Folder,
};

/// Looks after the event logs of services.
#[derive(Debug, Subcommand)]
pub enum What {
    Verify(Verify),
    NewEpoch(NewEpoch),
}

/// States that a service's database was restored to the past, so that others forget what they heard since.
///
/// Services that follow the log read it anew from its start; figures are right again when they have. For a data folder
/// of `tongxin up` name that, whether it runs or not; otherwise the settings have to say the URL of the role that owns the
/// tables, as for `tongxin migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin log new-epoch --service pairing --config tongxin.toml   after pairing's database was restored from a backup
  tongxin log new-epoch --service pairing --data-dir .tongxin     the same on a data folder of `tongxin up`")]
pub struct NewEpoch {
    /// The service whose database was restored
    #[arg(long, value_parser = services::parser())]
    service: &'static Kind,

    /// Settings with the owner's URL, TOML or YAML
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    config: Option<PathBuf>,

    /// Data folder of a `tongxin up`, which may be stopped
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Checks that nobody altered an event log: every number is there and every event fits the hash chain.
///
/// Keep the hash that it prints elsewhere: a later check that comes to another one at the same number shows that
/// the whole chain was made anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin log verify                                    all services of the `up` in .tongxin
  tongxin log verify --service pairing --config t.toml  a database by its URL in the settings")]
pub struct Verify {
    /// Only this service
    #[arg(long, value_parser = services::parser())]
    service: Option<&'static Kind>,

    /// Settings whose databases are checked, instead of a data folder's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Data folder of a `tongxin up`, which may be stopped
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
    if let Some(data_dir) = &args.data_dir {
        let folder = Folder::open(data_dir).await?;
        let url = folder.owner_url(args.service).with_context(|| {
            told!("the `tongxin up` there is an older one: restart it", "那里运行的 `tongxin up` 是旧版本：请重新启动")
        })?;
        let begun = begin_epoch(args.service, &url, &data_dir.display().to_string()).await;
        folder.close().await;
        return begun;
    }
    let settings = Settings::load(args.config.as_deref())?;
    for (kind, url) in migrate::databases(Some(args.service), &settings.migrate)? {
        let setting = format!("migrate.{}_url", kind.name);
        begin_epoch(kind, url.expose_secret(), &setting).await?;
    }
    Ok(())
}

async fn begin_epoch(kind: &Kind, url: &str, stated_by: &str) -> Result<()> {
    let name = kind.name;
    let mut owner = PgConnection::connect(url).await.with_context(|| {
        told!("cannot reach the database of {name} by {stated_by}", "按 {stated_by} 连接不上 {name} 的数据库")
    })?;
    let epoch = log::begin_epoch(&mut owner)
        .await
        .with_context(|| told!("{name} got no new epoch", "{name} 的日志没能开始新的一代"))?;
    owner.close().await?;
    say!("{}", told!("{name}: its log is in epoch {epoch}", "{name}：日志现为第 {epoch} 代"))?;
    Ok(())
}

async fn verify_all(args: Verify) -> Result<()> {
    let kinds = services::selected(args.service);
    if let Some(file) = &args.config {
        let settings = Settings::load(Some(file))?;
        let url = |kind: &Kind| {
            let service = settings.services.get(kind.name)?;
            Some(service.common().database.url.expose_secret().to_owned())
        };
        return verify_each(&kinds, url, args.json).await;
    }
    let folder = Folder::open(&args.data_dir).await?;
    let verified = verify_each(&kinds, |kind| folder.app_url(kind), args.json).await;
    folder.close().await;
    verified
}

async fn verify_each(kinds: &[&'static Kind], url: impl Fn(&Kind) -> Option<String>, as_json: bool) -> Result<()> {
    let found: Vec<_> = kinds.iter().filter_map(|kind| Some((*kind, url(kind)?))).collect();
    if found.is_empty() {
        let settings = KINDS.map(|kind| format!("{}.database.url", kind.name)).join(lang().of(" or ", " 或 "));
        bail!(told!(
            "the settings name no database to check: set {settings}",
            "设置中没有可核查的数据库：请填写 {settings}"
        ));
    }
    let mut answers = Vec::new();
    for (kind, url) in found {
        let Verified { events, hash } = verify(kind, &url).await?;
        let (name, hash) = (kind.name, hex::encode(hash));
        if as_json {
            answers.push(json!({"service": name, "events": events, "hash": hash}));
        } else if events == 0 {
            say!("{}", told!("{name}: its log is empty", "{name}：日志是空的"))?;
        } else {
            let line = told!(
                "{name}: {events} events, all sound; the newest has the hash {hash}",
                "{name}：{events} 个事件，全部无误；最新事件的哈希值为 {hash}"
            );
            say!("{line}")?;
        }
    }
    if as_json {
        say!("{:#}", json!(answers))?;
    }
    Ok(())
}

async fn verify(kind: &Kind, url: &str) -> Result<Verified> {
    let name = kind.name;
    let config = DbConfig { max_connections: 1, ..DbConfig::at(url) };
    let no_database = || told!("cannot reach the database of {name}", "连接不上 {name} 的数据库");
    let pool = db::open(&config).await.with_context(no_database)?;
    let head = log::head(&pool).await?;
    let title = told!("checking the log of {name}", "正在核查 {name} 的日志");
    let progress = Progress::begin(title, u64::try_from(head.seq).ok());
    let verified = log::verify(&pool, |seq| progress.reach(seq.unsigned_abs())).await;
    progress.end(if verified.is_ok() { lang().of("done", "完成") } else { lang().of("not sound", "有误") });
    // A Postgres that we started ends only without connections.
    pool.close().await;
    verified.with_context(|| told!("the log of {name} is not sound", "{name} 的日志有误"))
}
