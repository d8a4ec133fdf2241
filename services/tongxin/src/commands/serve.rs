//! `tongxin serve`: one service, as configured, until it is told to stop.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use tongxin_platform::{
    access::{Access, Credentials},
    broker,
    clock::Clock,
    config,
    error::chain,
    lifecycle::Lifecycle,
    service::Surroundings,
    telemetry::{self, Telemetry},
};

use crate::{services::ServiceName, settings::Settings};

/// Runs one service.
///
/// Settings come from the file and from variables such as `TONGXIN__PAIRING__DATABASE__URL`, which win. It does not
/// start on a schema that is behind (`tongxin migrate`). SIGTERM lets it finish its requests.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  tongxin check-config tongxin.toml && tongxin serve pairing --config tongxin.toml")]
pub struct Args {
    /// Which service
    service: ServiceName,

    /// Settings, TOML or YAML; without it the environment says all
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<()> {
    let settings: Settings = config::load(args.config.as_deref())
        .map_err(|error| anyhow!("{}; `tongxin check-config FILE` lists all that is wrong", chain(&error)))?;
    let telemetry = telemetry::init("tongxin", &settings.telemetry)?;
    let grace = Duration::from_secs(settings.grace_seconds.0);
    let mut lifecycle = Lifecycle::default();
    start(args.service, settings, &telemetry, &mut lifecycle).await?;
    lifecycle.run_until_stopped(grace).await?;
    Ok(())
}

async fn start(
    service: ServiceName,
    settings: Settings,
    telemetry: &Telemetry,
    lifecycle: &mut Lifecycle,
) -> Result<()> {
    let clock = Clock::system();
    // Only services that call others need the token; the gateway says below that it does.
    let token_file = settings.token_file.clone().unwrap_or_default();
    let surroundings = Surroundings {
        access: Arc::new(Access::new(settings.access, clock.clone())?),
        jetstream: broker::connect(&settings.nats, service.name()).await?,
        credentials: Credentials::file(token_file, clock.clone()),
        registry: telemetry.registry(),
        clock,
    };
    let missing = || {
        let name = service.name();
        anyhow!("the settings have no section [{name}]: at least {name}.database.url is needed")
    };
    let (grpc, admin) = match service {
        ServiceName::Pairing => {
            let app = tongxin_pairing::App::build(settings.pairing.ok_or_else(missing)?, surroundings).await?;
            let addresses = (app.grpc_address()?, app.admin_address()?);
            app.start(lifecycle);
            addresses
        }
        ServiceName::Monitoring => {
            settings.token_file.context("monitoring follows pairing: token_file has to name its token")?;
            let app = tongxin_monitoring::App::build(settings.monitoring.ok_or_else(missing)?, surroundings).await?;
            let addresses = (app.grpc_address()?, app.admin_address()?);
            app.start(lifecycle);
            addresses
        }
        ServiceName::Gateway => {
            settings.token_file.context("the gateway calls other services: token_file has to name its token")?;
            let app = tongxin_gateway::App::build(settings.gateway.ok_or_else(missing)?, surroundings).await?;
            let addresses = (app.grpc_address()?, app.admin_address()?);
            app.start(lifecycle);
            addresses
        }
    };
    tracing::info!(service = service.name(), %grpc, %admin, "serving");
    Ok(())
}
