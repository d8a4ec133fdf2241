//! `tongxin serve`: runs one service until it is told to stop.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use tongxin_platform::{
    access::{Access, Credentials},
    broker,
    clock::Clock,
    error::chain,
    lifecycle::Lifecycle,
    service::{Kind, Shared},
    telemetry::{self, Telemetry},
};

use crate::{lang::told, services, settings::Settings};

/// Runs one service.
///
/// Settings come from the file and from variables such as `TONGXIN__PAIRING__DATABASE__URL`, which win. It does not
/// start on a schema that is behind (`tongxin migrate`). SIGTERM lets it finish its requests.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  tongxin check-config tongxin.toml && tongxin serve pairing --config tongxin.toml")]
pub struct Args {
    /// Which service
    #[arg(value_parser = services::parser())]
    service: &'static Kind,

    /// Settings, TOML or YAML; without it the environment says all
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<()> {
    let mut settings = Settings::load(args.config.as_deref()).map_err(|error| {
        anyhow!(told!(
            "{}; `tongxin check-config FILE` lists all that is wrong",
            "{}；用 `tongxin check-config FILE` 可列出全部错误",
            chain(error.as_ref())
        ))
    })?;
    let kind = args.service;
    let (name, title) = (kind.name, kind.title());
    let service = settings.services.remove(name).with_context(|| {
        told!(
            "the settings have no section [{name}]: at least {name}.database.url is needed",
            "设置中没有 [{name}] 一节：至少要填写 {name}.database.url"
        )
    })?;
    if let (Some(calls), None) = (kind.calls(), &settings.token_file) {
        bail!(told!(
            "{title} calls {calls}: token_file has to name its token",
            "{name} 要调用其他服务：请在 token_file 填写它的令牌文件"
        ));
    }
    let telemetry = telemetry::init("tongxin", &settings.telemetry)?;
    let grace = Duration::from_secs(settings.grace_seconds.0);
    let app = service.build(shared(kind, settings, &telemetry).await?).await?;
    tracing::info!(service = kind.name, grpc = %app.grpc, admin = %app.admin, "serving");
    let mut lifecycle = Lifecycle::default();
    app.start(&mut lifecycle);
    lifecycle.run_until_stopped(grace).await?;
    Ok(())
}

async fn shared(kind: &Kind, settings: Settings, telemetry: &Telemetry) -> Result<Shared> {
    let clock = Clock::system();
    Ok(Shared {
        access: Arc::new(Access::new(settings.access, clock.clone())?),
        jetstream: broker::connect(&settings.nats, kind.name).await?,
        credentials: Credentials::file(settings.token_file.unwrap_or_default(), clock.clone()),
        registry: telemetry.registry(),
        clock,
    })
}
