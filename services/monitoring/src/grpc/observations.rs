//! The door of ObservationService.

use std::pin::Pin;

use futures::Stream;
use tongxin_proto::monitoring::v1::{self, observation_service_server::ObservationService};
use tonic::{Request, Response, Status, Streaming};

use super::Door;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ObservationService for Door {
    async fn record_observation(
        &self,
        _: Request<v1::RecordObservationRequest>,
    ) -> Result<Response<v1::RecordObservationResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;

    async fn import_observations(
        &self,
        _: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Result<Response<Answers<v1::ImportObservationsResponse>>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_observations(
        &self,
        _: Request<v1::ListObservationsRequest>,
    ) -> Result<Response<v1::ListObservationsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
