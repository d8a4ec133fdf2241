//! Builds and starts the service; tests build the same.

use std::{net::SocketAddr, sync::Arc};

use tongxin_platform::{
    admin::Readiness,
    consumer::{Consumer, Progress},
    db::Migrations,
    grpc::secure_channel,
    lifecycle::Lifecycle,
    register::{self, Register},
    service::{Listening, Service, StartError, Surroundings},
    worker::Wake,
};

use crate::{
    commands::Policy,
    config::Config,
    grpc::{self, Door},
    store::keys::Keys,
    workers::Matcher,
};

/// The service's name, as in `tongxin.monitoring.v1`.
pub const NAME: &str = "monitoring";

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The migrations of the service's database.
#[must_use]
pub fn migrations() -> Migrations {
    Migrations::with_platform(&MIGRATOR)
}

/// The service, which listens and serves once it is started.
pub struct App {
    listening: Listening,
    register: Consumer<Register>,
    matcher: Matcher,
    matcher_wake: Wake,
}

impl App {
    /// Connects and listens.
    ///
    /// # Errors
    /// When the database is out of reach or behind, a port is taken, or a key cannot be read.
    pub async fn build(config: Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let keys = Keys::load(&config.personal).map_err(|error| StartError::Preparation(Box::new(error)))?;
        let request_keys = config.request_keys()?;
        let service = Service::connect(NAME, config.service(), surroundings, &migrations()).await?;
        let pairing = secure_channel(config.pairing.expose(), &config.pairing_tls)?;
        let register = register::follow(&service, "pairing", pairing);
        let keys = Arc::new(keys);
        let policy =
            Policy { window: config.entry_window_days, keys: Arc::clone(&keys), income_tiers: config.income_tiers };
        let matcher_wake = Wake::default();
        let matcher = Matcher::new(service.pool.clone(), service.surroundings.clock.clone(), service.relay_wake());
        let endpoint = service.endpoint(service.writer(request_keys, policy).waking(&matcher_wake));
        let door = Door { endpoint, keys };
        let routes = grpc::routes(&door, config.grpc.max_message_bytes);
        let listening = service.listen(&grpc::SERVICES, routes, Readiness::default()).await?;
        Ok(Self { listening, register, matcher, matcher_wake })
    }

    /// Where its gRPC server listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn grpc_address(&self) -> std::io::Result<SocketAddr> {
        self.listening.grpc_address()
    }

    /// Where its admin port listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.listening.admin_address()
    }

    /// How far the register of regions is followed.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.register.progress()
    }

    /// Serves and follows, as parts of a lifecycle.
    pub fn start(self, lifecycle: &mut Lifecycle) {
        let stop = lifecycle.stop_token();
        self.listening.start(lifecycle);
        let (register, stop_register) = (self.register, stop.clone());
        lifecycle.start("the register of regions", async move {
            register.run(stop_register).await;
            Ok::<(), std::io::Error>(())
        });
        let (matcher, wake) = (self.matcher, self.matcher_wake);
        lifecycle.start("the matcher of warnings", async move {
            matcher.run(wake, stop).await;
            Ok::<(), std::io::Error>(())
        });
    }
}
