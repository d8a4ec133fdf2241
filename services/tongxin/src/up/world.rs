//! Services and token file on private servers: started together.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use tongxin_platform::{
    access::{Access, AccessConfig, Credentials, IssuerConfig, LocalKey, TokenRequest},
    broker::{self, BrokerConfig},
    clock::Clock,
    config::AdminConfig,
    consumer::Progress,
    db::DbConfig,
    grpc::GrpcConfig,
    lifecycle::Lifecycle,
    region::RegionCode,
    service::Surroundings,
    telemetry::Telemetry,
};
use tongxin_proto::{monitoring::v1::Department, words::Word as _};
use tongxin_servers::Servers;

use super::{certificates::Certificates, databases, keys, ports::Ports, token::TokenFile};
use crate::{
    client::Gateway,
    instance::{Addresses, Instance},
    services::ServiceName,
    table,
};

/// Guangdong: what the token in the data folder is good for.
const REGION: &str = "440000000000";
const ROLES: [&str; 3] = ["hq", "operator", "department"];
const DEPARTMENT: Department = Department::MedicalInsurance;

/// What the token for the register is good for, everywhere.
const OPERATOR: [&str; 1] = ["operator"];

/// After a crash the gateway may have many events to count before it is level.
const READY_WITHIN: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// All services, running.
pub struct World {
    /// What others are told of it.
    pub instance: Instance,
    /// How far events are followed: each service's by the gateway, the register's by monitoring.
    progress: BTreeMap<&'static str, Progress>,
}

impl World {
    /// Prepares the databases and starts all services.
    pub async fn start(
        servers: &Servers,
        ports: Ports,
        (limits, tls): (&GrpcConfig, Option<&Certificates>),
        telemetry: &Telemetry,
    ) -> Result<(Self, Lifecycle)> {
        let listen = |address: SocketAddr| GrpcConfig { listen: address, ..limits.clone() };
        databases::prepare(servers.postgres()).await?;
        let data_dir = servers.postgres().data_dir();
        let surroundings = surroundings(servers, telemetry).await?;
        let url = |service| databases::app_url(servers.postgres(), service);
        let owner_url = |service| databases::owner_url(servers.postgres(), service);
        let database = |service| DbConfig::at(url(service));

        let pairing = tongxin_pairing::Config {
            grpc: listen(ports.service(0)),
            admin: AdminConfig { listen: ports.service_admin(0) },
            ..tongxin_pairing::Config::on(
                database(ServiceName::Pairing),
                keys::of_requests(data_dir, tongxin_pairing::NAME)?,
            )
        };
        let own = at_broker(&surroundings, servers, ServiceName::Pairing).await?;
        let pairing = tongxin_pairing::App::build(pairing, own).await?;
        let at = |address: SocketAddr| format!("http://{address}");
        let pairing_at = Addresses { grpc: at(pairing.grpc_address()?), admin: at(pairing.admin_address()?) };

        let personal = keys::of_personal_data(data_dir)?;
        let monitoring = tongxin_monitoring::Config {
            grpc: listen(ports.service(1)),
            admin: AdminConfig { listen: ports.service_admin(1) },
            ..tongxin_monitoring::Config::on(
                database(ServiceName::Monitoring),
                pairing_at.grpc.as_str(),
                personal,
                keys::of_requests(data_dir, tongxin_monitoring::NAME)?,
            )
        };
        let own = at_broker(&surroundings, servers, ServiceName::Monitoring).await?;
        let monitoring = tongxin_monitoring::App::build(monitoring, own).await?;
        let monitoring_at = Addresses { grpc: at(monitoring.grpc_address()?), admin: at(monitoring.admin_address()?) };
        let services = BTreeMap::from([
            (tongxin_pairing::NAME.to_owned(), pairing_at),
            (tongxin_monitoring::NAME.to_owned(), monitoring_at),
        ]);

        let gateway = tongxin_gateway::Config {
            grpc: GrpcConfig { tls: tls.map(|tls| tls.server.clone()), ..listen(ports.gateway()) },
            // A browser would remember it of every other server on this machine, too.
            hsts_seconds: 0,
            admin: AdminConfig { listen: ports.gateway_admin() },
            upstreams: services.iter().map(|(name, at)| (name.clone(), at.grpc.as_str().into())).collect(),
            ..tongxin_gateway::Config::on(database(ServiceName::Gateway))
        };
        let clock = surroundings.clock.clone();
        let gateway = tongxin_gateway::App::build(gateway, surroundings).await?;
        let mut progress = BTreeMap::from([("pairing's register", monitoring.progress())]);
        for name in [tongxin_pairing::NAME, tongxin_monitoring::NAME] {
            let followed = gateway.progress(name).with_context(|| format!("the gateway does not follow {name}"))?;
            progress.insert(name, followed);
        }

        let country = request("up-operator", &OPERATOR, RegionCode::COUNTRY);
        let operator_token_file = token_file(data_dir, "operator.token", country, clock.clone())?;
        let token_file = token_file(data_dir, "token", speaking_for(DEPARTMENT)?, clock)?;
        let instance = Instance {
            pid: std::process::id(),
            gateway: match tls {
                Some(_) => format!("https://localhost:{}", gateway.grpc_address()?.port()),
                None => at(gateway.grpc_address()?),
            },
            ca_file: tls.map(|tls| tls.ca_file.clone()),
            gateway_admin: at(gateway.admin_address()?),
            token_file: token_file.path.clone(),
            operator_token_file: operator_token_file.path.clone(),
            services,
            databases: ServiceName::ALL.map(|service| (service.name().to_owned(), url(service))).into(),
            owner_databases: ServiceName::ALL.map(|service| (service.name().to_owned(), owner_url(service))).into(),
        };
        let mut lifecycle = Lifecycle::default();
        pairing.start(&mut lifecycle);
        monitoring.start(&mut lifecycle);
        gateway.start(&mut lifecycle);
        let stop = lifecycle.stop_token();
        lifecycle.start("the token file", token_file.run(stop.clone()));
        lifecycle.start("the operator's token file", operator_token_file.run(stop));
        Ok((Self { instance, progress }, lifecycle))
    }

    /// The gateway, called as the token file says but for another department.
    pub fn gateway_of(&self, department: Department) -> Result<Gateway> {
        let folder = self.instance.token_file.parent().context("the token file is in a folder")?;
        let (key, clock) = (LocalKey::of_folder(folder)?, Clock::system());
        let credentials = Credentials::local(key, speaking_for(department)?, clock);
        Gateway::with_credentials(self.instance.place(), credentials)
    }

    /// Waits until all that happened before is followed.
    pub async fn ready(&self) -> Result<()> {
        let level = async {
            while self.progress.values().any(|progress| progress.age_seconds().is_none()) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(READY_WITHIN, level).await.is_err() {
            let behind = |(name, progress): (&&str, &Progress)| format!("{} events of {name}", progress.lag());
            let behind: Vec<_> = self.progress.iter().map(behind).collect();
            bail!(
                "not ready within {READY_WITHIN:?}: still to be counted are {}; the log says more",
                behind.join(", ")
            );
        }
        Ok(())
    }

    /// Where everything is.
    pub fn welcome(&self, took: Duration) -> String {
        let Instance { gateway, ca_file, gateway_admin, token_file, operator_token_file, services, .. } =
            &self.instance;
        let row = |name: &str, place: &str, about: String| vec![name.to_owned(), place.to_owned(), about];
        let file = |path: &Path| path.display().to_string();
        let mut rows = vec![
            row("gateway", gateway, "gRPC, gRPC-Web, and JSON by POST".to_owned()),
            row("admin", gateway_admin, "/readyz, /metrics".to_owned()),
        ];
        if let Some(ca_file) = ca_file {
            let how = format!("--gateway {gateway} --ca-file {} --token-file {}", file(ca_file), file(token_file));
            rows.insert(1, row("CA", &file(ca_file), how));
        }
        let services = services.iter();
        rows.extend(services.map(|(name, at)| row(name, &at.grpc, format!("gRPC; admin port {}", at.admin))));
        rows.push(row("token", &file(token_file), format!("{} of {REGION}", ROLES.join(", "))));
        let of_register = format!("{} of the whole country, for the register", OPERATOR.join(", "));
        rows.push(row("", &file(operator_token_file), of_register));
        rows.push(row("log", &file(&token_file.with_file_name("tongxin.log")), String::new()));
        format!("\ntongxin is ready after {:.1} s\n\n{}", took.as_secs_f64(), table::render(&rows, &[]))
    }
}

/// What the gateway has, and what all share but for the connection to the broker.
async fn surroundings(servers: &Servers, telemetry: &Telemetry) -> Result<Surroundings> {
    let clock = Clock::system();
    let key = LocalKey::in_folder(servers.postgres().data_dir())?;
    let issuer = IssuerConfig { may_be_national: true, ..key.issuer() };
    let access = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
    Ok(Surroundings {
        access: Arc::new(Access::new(access, clock.clone())?),
        jetstream: broker::connect(&broker_config(servers, ServiceName::Gateway), ServiceName::Gateway.name()).await?,
        credentials: Credentials::local(
            key,
            request("service", &["system"], RegionCode::parse(REGION)?),
            clock.clone(),
        ),
        registry: telemetry.registry(),
        clock,
    })
}

/// What all services share, with a connection to the broker as the service's own user.
async fn at_broker(shared: &Surroundings, servers: &Servers, service: ServiceName) -> Result<Surroundings> {
    let config = broker_config(servers, service);
    Ok(Surroundings { jetstream: broker::connect(&config, service.name()).await?, ..shared.clone() })
}

fn broker_config(servers: &Servers, service: ServiceName) -> BrokerConfig {
    let (nats, name) = (servers.nats(), service.name());
    BrokerConfig {
        url: nats.url().into(),
        user: Some(name.to_owned()),
        password_file: Some(nats.password_file(name)),
        ..BrokerConfig::default()
    }
}

fn token_file(data_dir: &Path, name: &str, request: TokenRequest, clock: Clock) -> Result<TokenFile> {
    let key = LocalKey::in_folder(data_dir)?;
    let file = TokenFile::new(data_dir.join(name), key, request, clock);
    file.renew()?;
    Ok(file)
}

/// The token in the data folder, for a department.
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
