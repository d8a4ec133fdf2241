//! The door of ObservationService.

use tongxin_platform::{
    grpc::{Answers, Reply},
    import,
    request::Call,
};
use tongxin_proto::monitoring::v1::{self, observation_service_server::ObservationService};
use tonic::{Request, Response, Status, Streaming};

use super::{Door, convert};
use crate::{
    commands::{NewObservation, ObservationImport, RecordObservation},
    error::Error,
    store::{households, observations},
};

#[tonic::async_trait]
impl ObservationService for Door {
    async fn record_observation(
        &self,
        request: Request<v1::RecordObservationRequest>,
    ) -> Result<Response<v1::RecordObservationResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let within = |error: Error| error.within("observation");
        let command = RecordObservation::try_from(request.observation.unwrap_or_default()).map_err(within)?;
        Ok(Response::new(self.writer.execute(call, command).await.map_err(within)?))
    }

    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;

    async fn import_observations(
        &self,
        request: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Reply<Answers<v1::ImportObservationsResponse>> {
        import::answer(
            &self.writer,
            request,
            |_| ObservationImport,
            |row, policy, context| NewObservation::prepare(policy, context, row.try_into()?),
        )
    }

    async fn list_observations(
        &self,
        request: Request<v1::ListObservationsRequest>,
    ) -> Result<Response<v1::ListObservationsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let household = convert::household_id("household_id", &request.into_inner().household_id)?;
        households::find_head(&mut tx, household).await?;
        let observations = convert::all(observations::list(&mut tx, household).await?);
        Ok(Response::new(v1::ListObservationsResponse { observations }))
    }
}
