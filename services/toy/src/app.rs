//! The service as the program and tests build it.

use tongxin_platform::{
    grpc::secure_channel,
    register::Register,
    service::{Build, Faults, Follows, Kind, Needs, Service, StartError},
};
use tongxin_proto::toy::v1::tally_service_server::TallyServiceServer;

use crate::{commands::Policy, config::Config, grpc::Door};

/// The service.
pub static KIND: Kind = Kind {
    name: "toy",
    about: "Tallies of what is counted in villages",
    contract: &tongxin_proto::TOY,
    follows: Follows::These(&["pairing"]),
    needs: Needs { request_keys: true, personal_keys: false },
    migrator: &sqlx::migrate!(),
    read: Kind::configured::<Config>,
};

impl Build for Config {
    const KIND: &'static Kind = &KIND;

    fn find_faults(&self, faults: &mut Faults) {
        faults.check("pairing", secure_channel(self.pairing.expose(), &self.pairing_tls));
    }

    async fn build(self, service: &mut Service) -> Result<(), StartError> {
        service.follow("pairing", secure_channel(self.pairing.expose(), &self.pairing_tls)?, Register);
        let door = Door(service.endpoint(service.writer(Policy)?));
        service.answer(TallyServiceServer::new(door).max_decoding_message_size(service.max_message_bytes()));
        Ok(())
    }
}
