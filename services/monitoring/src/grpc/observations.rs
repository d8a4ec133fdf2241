//! The door of ObservationService.

use tongxin_platform::request::{Call, Context};
use tongxin_proto::{
    batch::v1::ImportStatus,
    monitoring::v1::{self, import_observations_request, observation_service_server::ObservationService},
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Door, convert,
    import::{self, Answers, Import, Part},
};
use crate::{
    commands::{NewObservation, ObservationImport, Policy, RecordObservation},
    error::Error,
    store::{households, observations},
};

impl Import for v1::ImportObservationsRequest {
    type Row = v1::ObservationDraft;
    type Imported = ObservationImport;
    type Answer = v1::ImportObservationsResponse;

    fn part(self) -> Option<Part<v1::ObservationDraft>> {
        self.part.map(|part| match part {
            import_observations_request::Part::Options(options) => Part::Options(options),
            import_observations_request::Part::Rows(rows) => Part::Rows(rows.first_row, rows.rows),
        })
    }

    fn imported(_: bool) -> ObservationImport {
        ObservationImport
    }

    fn prepare(row: v1::ObservationDraft, policy: &Policy, context: &Context) -> Result<NewObservation, Error> {
        NewObservation::prepare(policy, context, row.try_into()?)
    }

    fn answer(status: ImportStatus) -> v1::ImportObservationsResponse {
        v1::ImportObservationsResponse { status: Some(status) }
    }
}

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
    ) -> Result<Response<Answers<v1::ImportObservationsResponse>>, Status> {
        Ok(Response::new(import::answer(self, request)?))
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
