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

use tongxin_platform::grpc::Endpoint;
use tongxin_proto::monitoring::v1::{
    case_service_server::{self, CaseServiceServer},
    disclosure_service_server::{self, DisclosureServiceServer},
    household_service_server::{self, HouseholdServiceServer},
    observation_service_server::{self, ObservationServiceServer},
    rule_service_server::{self, RuleServiceServer},
    signal_service_server::{self, SignalServiceServer},
    village_service_server::{self, VillageServiceServer},
};
use tonic::service::Routes;

use crate::{commands::Policy, error::Refused, store::keys::Keys};

/// The services of these methods.
pub const SERVICES: [&str; 7] = [
    household_service_server::SERVICE_NAME,
    observation_service_server::SERVICE_NAME,
    rule_service_server::SERVICE_NAME,
    signal_service_server::SERVICE_NAME,
    case_service_server::SERVICE_NAME,
    village_service_server::SERVICE_NAME,
    disclosure_service_server::SERVICE_NAME,
];

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

/// All services, with a maximum message size.
pub fn routes(door: &Door, max_message: usize) -> Routes {
    Routes::new(HouseholdServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(ObservationServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(RuleServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(SignalServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(CaseServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(VillageServiceServer::new(door.clone()).max_decoding_message_size(max_message))
        .add_service(DisclosureServiceServer::new(door.clone()).max_decoding_message_size(max_message))
}
