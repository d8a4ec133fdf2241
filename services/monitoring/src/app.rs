//! The service as the program and tests build it.

use std::sync::Arc;

use tongxin_platform::{
    grpc::secure_channel,
    register::Register,
    service::{Build, Faults, Follows, Kind, Needs, Service, StartError},
    worker::Wake,
};

use crate::{
    commands::Policy,
    config::Config,
    grpc::{self, Door},
    store::keys::Keys,
    workers::Matcher,
};

/// The service.
pub static KIND: Kind = Kind {
    name: "monitoring",
    about: "Households at risk: signals, cases, measures",
    contract: &tongxin_proto::PRODUCT,
    follows: Follows::These(&["pairing"]),
    needs: Needs { request_keys: true, personal_keys: true },
    migrator: &sqlx::migrate!(),
    read: Kind::configured::<Config>,
};

impl Build for Config {
    const KIND: &'static Kind = &KIND;

    fn find_faults(&self, faults: &mut Faults) {
        faults.check("pairing", secure_channel(self.pairing.expose(), &self.pairing_tls));
        faults.check("personal", Keys::load(&self.personal));
    }

    async fn build(self, service: &mut Service) -> Result<(), StartError> {
        let keys = Arc::new(Keys::load(&self.personal).map_err(StartError::preparing)?);
        service.follow("pairing", secure_channel(self.pairing.expose(), &self.pairing_tls)?, Register);
        let matcher_wake = Wake::default();
        let matcher = Matcher::new(service.pool.clone(), service.shared.clock.clone(), service.relay_wake());
        let policy =
            Policy { window: self.entry_window_days, keys: Arc::clone(&keys), income_tiers: self.income_tiers };
        let endpoint = service.endpoint(service.writer(policy)?.waking(&matcher_wake));
        service.run("the matcher of warnings", |stop| matcher.run(matcher_wake, stop));
        grpc::answer(service, &Door { endpoint, keys });
        Ok(())
    }
}
