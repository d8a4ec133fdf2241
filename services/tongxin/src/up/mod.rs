//! `tongxin up`: all services on one machine, with a private Postgres and NATS.
//!
//! | file | |
//! |---|---|
//! | `certificates` | a self-signed certificate for TLS trials |
//! | `databases` | creates and migrates the databases |
//! | `folder`    | the databases of a folder for other commands, whether `up` runs or not |
//! | `keys`      | creates the keys of personal data and of requests |
//! | `ports`     | ports of each service |
//! | `section`   | the settings of each service |
//! | `world`     | servers, services and token, started and stopped together |
//! | `token`     | keeps the token file fresh |
//! | `sample`    | loads the sample year and shows the scorecard |

mod certificates;
mod databases;
mod folder;
mod keys;
mod ports;
mod sample;
mod section;
mod token;
mod world;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use tongxin_platform::{
    clock::Clock,
    grpc::GrpcConfig,
    lifecycle::stop_signal,
    telemetry::{self, LogFormat, TelemetryConfig, TelemetryError},
};
use tongxin_servers::{Servers, ServersConfig};

use crate::{
    instance::{DATA_DIR, Instance},
    lang::told,
    sample::SampleName,
    services::{KINDS, nats_user},
};
use certificates::Certificates;
pub use folder::Folder;
use ports::Ports;
use world::World;

/// Time for requests in progress to finish.
const GRACE: Duration = Duration::from_secs(10);

/// Runs all services on this machine, with a private Postgres and NATS in a data folder.
///
/// Ctrl-C or SIGTERM stops all of it. The next `up` on the same folder goes on where this one ended, even if this
/// one was killed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin up                                       on port 7400, with the data in .tongxin
  tongxin up --sample qingyuan-2025                with the sample year
  tongxin up --sample qingyuan-2025 --once         shows its scorecard and stops
  tongxin up --data-dir /srv/tongxin --port 9000   elsewhere
  tongxin up --tls-self-signed                     the gateway at https://localhost:7400; then
  curl --cacert .tongxin/tls/ca.pem https://localhost:7400/...
  tongxin scorecard 441800000000 --gateway https://localhost:7400 --ca-file .tongxin/tls/ca.pem \\
      --token-file .tongxin/token                  (other commands on this data folder need no such words)

The gateway answers gRPC, gRPC-Web and JSON on PORT and has its admin port on PORT+1. Services behind it are on PORT+10, +11 ...
and have their admin ports on PORT+20, +21 ... The token file, the log and up.json with all addresses are in the
data folder.")]
pub struct Args {
    /// Where everything is kept
    #[arg(long, value_name = "FOLDER", default_value = DATA_DIR)]
    data_dir: PathBuf,

    /// First port, on 127.0.0.1; 0 takes free ones
    #[arg(long, default_value_t = 7400, value_parser = clap::value_parser!(u16).range(..65_500))]
    port: u16,

    /// Loads a sample, once, and shows its scorecard
    #[arg(long, value_name = "NAME")]
    sample: Option<SampleName>,

    /// Stops when all is ready and the scorecard is shown; fails if it is not as published
    #[arg(long)]
    once: bool,

    /// The gateway speaks TLS, by a certificate for `localhost`, `127.0.0.1` and `::1` that is made in the data folder
    #[arg(long)]
    tls_self_signed: bool,

    /// What is logged, into tongxin.log of the data folder, such as `info,tongxin_pairing=debug`
    #[arg(long, value_name = "DIRECTIVES", default_value = "info")]
    log: String,

    /// Limits of all ports, in JSON, as under `grpc` in the settings of a service: for trials
    #[arg(long, value_name = "JSON", hide = true, value_parser = limits)]
    limits: Option<GrpcConfig>,

    /// nats-server; otherwise that of `.tools/bin` in this folder or one above, or on the PATH
    #[arg(long, value_name = "PROGRAM")]
    nats_server: Option<PathBuf>,

    /// Folder of `postgres` and `initdb`; otherwise those on the PATH, or Debian's newest; in the environment,
    /// `TONGXIN_POSTGRES=18` asks for that version
    #[arg(long, value_name = "FOLDER")]
    postgres_bin: Option<PathBuf>,
}

/// Limits that are not given keep their defaults.
fn limits(text: &str) -> Result<GrpcConfig, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

pub async fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    let told = stop_signal()?;
    tokio::pin!(told);
    let telemetry = telemetry::init("tongxin", &telemetry_config(&args)?).map_err(foreign_folder)?;

    let folder = args.data_dir.display();
    note!("{}", told!("starting Postgres and NATS in {folder}", "正在启动 Postgres 和 NATS，数据文件夹 {folder}"));
    let config = ServersConfig {
        data_dir: args.data_dir.clone(),
        postgres_bin_dir: args.postgres_bin.clone(),
        nats_server: args.nats_server.clone(),
        nats_users: KINDS.map(nats_user).to_vec(),
    };
    let servers = tokio::select! {
        started = Servers::start(&config) => started?,
        () = &mut told => return Ok(()),
    };
    let took = begun.elapsed().as_secs_f64();
    note!("{}", told!("Postgres and NATS are up after {took:.1} s", "Postgres 和 NATS 已启动，用时 {took:.1} 秒"));
    let data_dir = servers.postgres().data_dir().to_owned();
    let limits = args.limits.clone().unwrap_or_default();
    let tls = args.tls_self_signed.then(|| Certificates::in_folder(&data_dir, Clock::system().now())).transpose()?;
    let ports = Ports::from(args.port);
    ports.check()?;
    let started = tokio::select! {
        started = World::start(&servers, ports, (&limits, tls.as_ref()), &telemetry) => started,
        () = &mut told => {
            servers.stop().await;
            return Ok(());
        }
    };
    // On an error the servers are dropped, which stops them immediately.
    let (world, lifecycle) = started?;

    let mut done = Ok(());
    let work = async {
        let worked = tokio::select! {
            worked = work(&world, &args, &data_dir, begun) => worked,
            () = &mut told => return,
        };
        if worked.is_err() || args.once {
            done = worked;
            return;
        }
        told.await;
    };
    let stopped = lifecycle.run_until(work, GRACE).await;
    note!("{}", told!("stopping", "正在停止"));
    Instance::withdraw(&data_dir);
    drop(world);
    servers.stop().await;
    done.and(stopped.map_err(Into::into))
}

/// Waits until all is ready, prints the addresses, and loads the sample.
async fn work(world: &World, args: &Args, data_dir: &Path, begun: Instant) -> Result<()> {
    world.ready().await?;
    world.instance.publish(data_dir)?;
    say!("{}", world.welcome(begun.elapsed()))?;
    let Some(sample) = args.sample else { return Ok(()) };
    let differing = sample::load_and_show(world, sample).await?;
    if differing > 0 && args.once {
        bail!(told!("{differing} figure(s) are not as published", "有 {differing} 个数字与公布的不符"));
    }
    if differing > 0 {
        note!(
            "{}",
            told!(
                "{differing} figure(s) are not as published: was something changed since the sample was loaded?",
                "有 {differing} 个数字与公布的不符：载入示例数据以后改过数据吗？"
            )
        );
    }
    Ok(())
}

/// Says what to do if the log file cannot be written.
fn foreign_folder(error: TelemetryError) -> anyhow::Error {
    match error {
        TelemetryError::LogFile(path, error) => anyhow!(told!(
            "cannot write {}: {error}: is it another user's? --data-dir names another folder",
            "无法写入 {}：{error}：它属于其他用户吗？可用 --data-dir 指定其他文件夹",
            path.display()
        )),
        error => error.into(),
    }
}

fn telemetry_config(args: &Args) -> Result<TelemetryConfig> {
    std::fs::create_dir_all(&args.data_dir)
        .with_context(|| told!("cannot create the data folder {}", "无法创建数据文件夹 {}", args.data_dir.display()))?;
    Ok(TelemetryConfig {
        log: args.log.clone(),
        log_format: LogFormat::Text,
        log_file: Some(args.data_dir.join("tongxin.log")),
        ..TelemetryConfig::default()
    })
}
