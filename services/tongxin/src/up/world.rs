//! Services and token files on private servers, started together.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use tongxin_platform::{
    access::{Access, AccessConfig, Credentials, IssuerConfig, LocalKey, TokenRequest},
    broker::{self, BrokerConfig},
    clock::Clock,
    consumer::Progress,
    grpc::GrpcConfig,
    lifecycle::Lifecycle,
    region::RegionCode,
    service::{Kind, Shared},
    telemetry::Telemetry,
};
use tongxin_proto::{monitoring::v1::Department, words::Word as _};
use tongxin_servers::{Postgres, Servers};

use super::{certificates::Certificates, databases, ports::Ports, section::Place, token::TokenFile};
use crate::{
    client::Gateway,
    instance::{Addresses, Instance},
    lang::{lang, told},
    services::{GATEWAY, KINDS},
    table,
};

/// Guangdong: region of the token in the data folder.
const REGION: &str = "440000000000";
const ROLES: [&str; 3] = ["hq", "operator", "department"];
const DEPARTMENT: Department = Department::MedicalInsurance;

/// Role of the token for the register, which is valid for the whole country.
const OPERATOR: [&str; 1] = ["operator"];

/// After a crash the gateway may have many events to project.
const READY_WITHIN: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// All services, running.
pub struct World {
    /// Published for other commands.
    pub instance: Instance,
    /// Progress of event consumption, by consumer and source.
    progress: BTreeMap<(&'static str, &'static str), Progress>,
}

impl World {
    /// Prepares the databases and starts all services.
    pub async fn start(
        servers: &Servers,
        ports: Ports,
        (limits, tls): (&GrpcConfig, Option<&Certificates>),
        telemetry: &Telemetry,
    ) -> Result<(Self, Lifecycle)> {
        databases::prepare(servers.postgres()).await?;
        let data_dir = servers.postgres().data_dir();
        let access = access(data_dir)?;
        let (mut apps, mut running, mut progress) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (number, kind) in (0..).zip(KINDS) {
            let (grpc, admin) = ports.of(kind, number);
            let database_url = databases::app_url(servers.postgres(), kind);
            let place = Place { database_url, grpc, admin, limits, tls, data_dir, running: &running };
            let configured = (kind.read)(&place.settings(kind)?)?.context("its settings were just made")?;
            let app = configured.build(shared(servers, telemetry, (kind, &access)).await?).await?;
            running.insert(kind.name.to_owned(), Addresses::of(&app));
            progress.extend(app.progress.iter().map(|(source, progress)| ((kind.name, *source), progress.clone())));
            apps.push(app);
        }
        let gateway = running.remove(GATEWAY.name).context("a gateway is one of the services")?;

        let country = request("up-operator", &OPERATOR, RegionCode::COUNTRY);
        let operator_token_file = token_file(data_dir, "operator.token", country)?;
        let token_file = token_file(data_dir, "token", speaking_for(DEPARTMENT)?)?;
        let of_databases = |url: fn(&Postgres, &Kind) -> String| {
            KINDS.map(|kind| (kind.name.to_owned(), url(servers.postgres(), kind))).into()
        };
        let instance = Instance {
            pid: std::process::id(),
            gateway: match tls {
                Some(_) => gateway.grpc.replace("http://127.0.0.1", "https://localhost"),
                None => gateway.grpc,
            },
            ca_file: tls.map(|tls| tls.ca_file.clone()),
            gateway_admin: gateway.admin,
            token_file: token_file.path.clone(),
            operator_token_file: operator_token_file.path.clone(),
            services: running,
            databases: of_databases(databases::app_url),
            owner_databases: of_databases(databases::owner_url),
        };
        let mut lifecycle = Lifecycle::default();
        for app in apps {
            app.start(&mut lifecycle);
        }
        let stop = lifecycle.stop_token();
        lifecycle.start("the token file", token_file.run(stop.clone()));
        lifecycle.start("the operator's token file", operator_token_file.run(stop));
        Ok((Self { instance, progress }, lifecycle))
    }

    /// The services whose events the gateway projects.
    pub fn counted(&self) -> impl Iterator<Item = &'static str> {
        self.progress.keys().filter(|(consumer, _)| *consumer == GATEWAY.name).map(|(_, source)| *source)
    }

    /// A gateway with the claims of the token file, but for another department.
    pub fn gateway_of(&self, department: Department) -> Result<Gateway> {
        let folder = self.instance.token_file.parent().context("the token file is in a folder")?;
        let (key, clock) = (LocalKey::of_folder(folder)?, Clock::system());
        let credentials = Credentials::local(key, speaking_for(department)?, clock);
        Gateway::with_credentials(self.instance.place(), credentials)
    }

    /// Waits until all earlier events are consumed.
    pub async fn ready(&self) -> Result<()> {
        let level = async {
            while self.progress.values().any(|progress| progress.age_seconds().is_none()) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(READY_WITHIN, level).await.is_err() {
            let behind = |((consumer, source), progress): (&(&str, &str), &Progress)| {
                told!("{} events of {source} for {consumer}", "{} 个 {source} 的事件（{consumer}）", progress.lag())
            };
            let behind: Vec<_> = self.progress.iter().map(behind).collect();
            bail!(told!(
                "not ready within {READY_WITHIN:?}: still to be counted are {}; the log says more",
                "{READY_WITHIN:?} 内没有就绪：还没有统计的有 {}；详情请看日志",
                behind.join(lang().of(", ", "，"))
            ));
        }
        Ok(())
    }

    /// The addresses of everything.
    pub fn welcome(&self, took: Duration) -> String {
        let Instance { gateway, ca_file, gateway_admin, token_file, operator_token_file, services, .. } =
            &self.instance;
        let row = |name: &str, place: &str, about: String| vec![name.to_owned(), place.to_owned(), about];
        let file = |path: &Path| path.display().to_string();
        let [of_gateway, of_admin, of_token, of_log] =
            lang().of(["gateway", "admin", "token", "log"], ["网关", "管理端口", "令牌", "日志"]);
        let protocols = told!("gRPC, gRPC-Web, and JSON by POST", "gRPC、gRPC-Web，以及用 POST 提交的 JSON");
        let mut rows = vec![
            row(of_gateway, gateway, protocols),
            row(of_admin, gateway_admin, told!("/readyz, /metrics", "/readyz、/metrics")),
        ];
        if let Some(ca_file) = ca_file {
            let how = format!("--gateway {gateway} --ca-file {} --token-file {}", file(ca_file), file(token_file));
            rows.insert(1, row("CA", &file(ca_file), how));
        }
        let ports = |at: &Addresses| told!("gRPC; admin port {}", "gRPC；管理端口 {}", at.admin);
        rows.extend(services.iter().map(|(name, at)| row(name, &at.grpc, ports(at))));
        let roles = told!("{} of {REGION}", "{}，区划 {REGION}", ROLES.join(", "));
        rows.push(row(of_token, &file(token_file), roles));
        let of_register =
            told!("{} of the whole country, for the register", "{}，全国，用于导入区划", OPERATOR.join(", "));
        rows.push(row("", &file(operator_token_file), of_register));
        rows.push(row(of_log, &file(&token_file.with_file_name("tongxin.log")), String::new()));
        told!(
            "\ntongxin is ready after {:.1} s\n\n{}",
            "\ntongxin 已就绪，用时 {:.1} 秒\n\n{}",
            took.as_secs_f64(),
            table::render(&rows, &[])
        )
    }
}

/// Accepts the tokens that the key in the data folder signs.
fn access(data_dir: &Path) -> Result<Arc<Access>> {
    let issuer = IssuerConfig { may_be_national: true, ..LocalKey::in_folder(data_dir)?.issuer() };
    let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
    Ok(Arc::new(Access::new(config, Clock::system())?))
}

/// The context of a service: its own broker connection as its own user, and the shared parts.
async fn shared(servers: &Servers, telemetry: &Telemetry, (kind, access): (&Kind, &Arc<Access>)) -> Result<Shared> {
    let clock = Clock::system();
    let key = LocalKey::in_folder(servers.postgres().data_dir())?;
    let of_service = request("service", &["system"], RegionCode::parse(REGION)?);
    Ok(Shared {
        access: Arc::clone(access),
        jetstream: broker::connect(&broker_config(servers, kind), kind.name).await?,
        credentials: Credentials::local(key, of_service, clock.clone()),
        registry: telemetry.registry(),
        clock,
    })
}

fn broker_config(servers: &Servers, kind: &Kind) -> BrokerConfig {
    let nats = servers.nats();
    BrokerConfig {
        url: nats.url().into(),
        user: Some(kind.name.to_owned()),
        password_file: Some(nats.password_file(kind.name)),
        ..BrokerConfig::default()
    }
}

fn token_file(data_dir: &Path, name: &str, request: TokenRequest) -> Result<TokenFile> {
    let key = LocalKey::in_folder(data_dir)?;
    let file = TokenFile::new(data_dir.join(name), key, request, Clock::system());
    file.renew()?;
    Ok(file)
}

/// The claims of the token in the data folder, for a department.
fn speaking_for(department: Department) -> Result<TokenRequest> {
    let whole = request("up", &ROLES, RegionCode::parse(REGION)?);
    Ok(TokenRequest { department: Some(department.word().to_owned()), ..whole })
}

fn request(subject: &str, roles: &[&str], region: RegionCode) -> TokenRequest {
    TokenRequest {
        subject: subject.to_owned(),
        roles: roles.iter().map(ToString::to_string).collect(),
        region,
        department: None,
        lifetime: Duration::from_hours(1),
    }
}
