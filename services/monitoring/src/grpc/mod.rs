//! The gRPC methods: convert, call one command or query, convert back. One file for each service of the contract.

mod batch;
mod cases;
mod checks;
mod convert;
mod disclosures;
mod households;
mod kept;
mod notice;
mod observations;
mod rules;
mod screening;
mod signals;
mod villages;
mod warnings;

use std::{ops::Deref, sync::Arc};

pub use rules::check_rule_set;

use tongxin_platform::{grpc::Endpoint, service::Service};
use tongxin_proto::monitoring::v1::{
    case_service_server::CaseServiceServer, disclosure_service_server::DisclosureServiceServer,
    household_service_server::HouseholdServiceServer, observation_service_server::ObservationServiceServer,
    rule_service_server::RuleServiceServer, signal_service_server::SignalServiceServer,
    village_service_server::VillageServiceServer,
};

use crate::{commands::Policy, error::Refused, store::keys::Keys};

/// What the methods need.
#[derive(Clone)]
pub struct Door {
    /// Reads and changes.
    pub endpoint: Endpoint<Policy, Refused>,
    /// For opening sealed data.
    pub keys: Arc<Keys>,
}

impl Deref for Door {
    type Target = Endpoint<Policy, Refused>;

    fn deref(&self) -> &Self::Target {
        &self.endpoint
    }
}

/// Answers all services of the contract.
pub fn answer(service: &mut Service, door: &Door) {
    let most = service.max_message_bytes();
    service.answer(HouseholdServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(ObservationServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(RuleServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(SignalServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(CaseServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(VillageServiceServer::new(door.clone()).max_decoding_message_size(most));
    service.answer(DisclosureServiceServer::new(door.clone()).max_decoding_message_size(most));
}
