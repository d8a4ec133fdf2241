//! The methods of `ObservationService`.

use tongxin_platform::{
    grpc::{Answers, Reply},
    import,
};
use tongxin_proto::monitoring::v1::{self, observation_service_server::ObservationService};
use tonic::{Request, Response, Streaming};

use super::{Door, convert};
use crate::{
    commands::{NewObservation, ObservationImport, RecordObservation},
    store::{households, observations},
};

#[tonic::async_trait]
impl ObservationService for Door {
    async fn record_observation(
        &self,
        request: Request<v1::RecordObservationRequest>,
    ) -> Reply<v1::RecordObservationResponse> {
        self.write_stated(request, ("observation", |request| request.observation), |stated, _| {
            RecordObservation::try_from(stated)
        })
        .await
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
            |row, _, _| NewObservation::prepare(row.try_into()?),
        )
    }

    async fn list_observations(
        &self,
        request: Request<v1::ListObservationsRequest>,
    ) -> Reply<v1::ListObservationsResponse> {
        let mut tx = self.read(&request).await?;
        let household = convert::household_id("household_id", &request.into_inner().household_id)?;
        households::find_head(&mut tx, household).await?;
        let observations = convert::all(observations::list(&mut tx, household).await?);
        Ok(Response::new(v1::ListObservationsResponse { observations }))
    }
}
