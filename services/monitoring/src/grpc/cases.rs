//! The door of CaseService.

use tongxin_platform::{
    access::Caller,
    page::Page,
    request::{Call, batch::carry_out},
};
use tongxin_proto::monitoring::v1::{self, case_service_server::CaseService};
use tonic::{Request, Response, Status, Streaming};

use super::{Door, batch::CaseCommands, convert, notice};
use crate::{
    commands::{Entitled, FinishMeasure, OpenCase, PlanMeasure, ProposeRemoval, RecordStep, Rights, RollBackRemoval},
    domain::case::CaseFile,
    store::{
        cases::{self, DayKey},
        measures,
    },
};

/// What a caller may do besides taking steps.
pub(super) fn rights(caller: &Caller) -> Rights {
    Rights { review: caller.may("monitoring.case.review"), approve: caller.may("monitoring.case.approve") }
}

#[tonic::async_trait]
impl CaseService for Door {
    async fn open_case(&self, request: Request<v1::OpenCaseRequest>) -> Result<Response<v1::OpenCaseResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = OpenCase::try_from(request.case.unwrap_or_default())?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn record_step(
        &self,
        request: Request<v1::RecordStepRequest>,
    ) -> Result<Response<v1::RecordStepResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = RecordStep::try_from(request.step.unwrap_or_default())?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn propose_removal(
        &self,
        request: Request<v1::ProposeRemovalRequest>,
    ) -> Result<Response<v1::ProposeRemovalResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = ProposeRemoval::try_from(request.removal.unwrap_or_default())?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn roll_back_removal(
        &self,
        request: Request<v1::RollBackRemovalRequest>,
    ) -> Result<Response<v1::RollBackRemovalResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = RollBackRemoval::try_from(request)?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn plan_measure(
        &self,
        request: Request<v1::PlanMeasureRequest>,
    ) -> Result<Response<v1::PlanMeasureResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = PlanMeasure::try_from(request.measure.unwrap_or_default())?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn finish_measure(
        &self,
        request: Request<v1::FinishMeasureRequest>,
    ) -> Result<Response<v1::FinishMeasureResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let verb = FinishMeasure::try_from(request.result.unwrap_or_default())?;
        let rights = rights(&call.caller);
        Ok(Response::new(self.writer.execute(call, Entitled(verb, rights)).await?))
    }

    async fn batch_case_commands(
        &self,
        request: Request<Streaming<v1::BatchCaseCommandsRequest>>,
    ) -> Result<Response<v1::BatchCaseCommandsResponse>, Status> {
        let batch = CaseCommands::new(rights(&Caller::of(&request)?));
        Ok(Response::new(carry_out(&self.writer, request, batch).await?))
    }

    async fn get_case(&self, request: Request<v1::GetCaseRequest>) -> Result<Response<v1::GetCaseResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let case = cases::find(&mut tx, convert::cases::case_id(&request.into_inner().case_id)?).await?;
        let measures = measures::of_cases(&mut tx, &[case.id]).await?;
        Ok(Response::new(CaseFile { case, measures }.into()))
    }

    async fn list_cases(
        &self,
        request: Request<v1::ListCasesRequest>,
    ) -> Result<Response<v1::ListCasesResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let (filter, page) = convert::cases::list(&request.into_inner())?;
        let found = cases::list(&mut tx, &filter, &page).await?;
        let (found, next_page_token) = page.cut(found, |(day, case)| DayKey { day: *day, id: case.id.0 });
        let cases = found.into_iter().map(|(_, case)| case.into()).collect();
        Ok(Response::new(v1::ListCasesResponse { cases, next_page_token }))
    }

    async fn list_overdue_steps(
        &self,
        request: Request<v1::ListOverdueStepsRequest>,
    ) -> Result<Response<v1::ListOverdueStepsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let within = convert::optional_region("region_code", &request.region_code)?;
        let page = Page::<DayKey>::parse(request.page_size, &request.page_token).map_err(crate::Error::from)?;
        let today = self.clock.today();
        let found = cases::overdue(&mut tx, within, today, &page).await?;
        let (found, next_page_token) = page.cut(found, |step| DayKey { day: step.due_on, id: step.case.0 });
        let steps = found.into_iter().map(|step| convert::cases::overdue(step, today)).collect();
        Ok(Response::new(v1::ListOverdueStepsResponse { steps, next_page_token }))
    }

    async fn render_notice(
        &self,
        request: Request<v1::RenderNoticeRequest>,
    ) -> Result<Response<v1::RenderNoticeResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let case = convert::cases::case_id(&request.into_inner().case_id)?;
        let notice = notice::render(&mut tx, &self.keys, case).await?;
        Ok(Response::new(v1::RenderNoticeResponse { notice: Some(notice) }))
    }
}
