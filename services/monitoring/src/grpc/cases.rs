//! The methods of `CaseService`.

use tongxin_platform::{access::Caller, grpc::Reply, page::Page, request::batch::carry_out};
use tongxin_proto::monitoring::v1::{self, case_service_server::CaseService};
use tonic::{Request, Response, Streaming};

use super::{Door, batch::CaseCommands, convert, notice};
use crate::{
    commands::{Authorized, FinishMeasure, OpenCase, PlanMeasure, ProposeRemoval, RecordStep, Rights, RollBackRemoval},
    domain::case_file::CaseFile,
    error::Error,
    store::{
        cases::{self, DayKey},
        measures,
    },
};

/// The caller's rights beyond taking steps.
pub(super) fn rights(caller: &Caller) -> Rights {
    Rights { review: caller.may("monitoring.case.review"), approve: caller.may("monitoring.case.approve") }
}

/// A request about a case as a verb, with the rights of its caller.
fn authorized<Stated, V>(stated: Stated, caller: &Caller) -> Result<Authorized<V>, Error>
where
    V: TryFrom<Stated, Error = Error>,
{
    Ok(Authorized(stated.try_into()?, rights(caller)))
}

#[tonic::async_trait]
impl CaseService for Door {
    async fn open_case(&self, request: Request<v1::OpenCaseRequest>) -> Reply<v1::OpenCaseResponse> {
        self.write_stated(request, ("case", |request| request.case), authorized::<_, OpenCase>).await
    }

    async fn record_step(&self, request: Request<v1::RecordStepRequest>) -> Reply<v1::RecordStepResponse> {
        self.write_stated(request, ("step", |request| request.step), authorized::<_, RecordStep>).await
    }

    async fn propose_removal(&self, request: Request<v1::ProposeRemovalRequest>) -> Reply<v1::ProposeRemovalResponse> {
        self.write_stated(request, ("removal", |request| request.removal), authorized::<_, ProposeRemoval>).await
    }

    async fn roll_back_removal(
        &self,
        request: Request<v1::RollBackRemovalRequest>,
    ) -> Reply<v1::RollBackRemovalResponse> {
        self.write_by(request, authorized::<_, RollBackRemoval>).await
    }

    async fn plan_measure(&self, request: Request<v1::PlanMeasureRequest>) -> Reply<v1::PlanMeasureResponse> {
        self.write_stated(request, ("measure", |request| request.measure), authorized::<_, PlanMeasure>).await
    }

    async fn finish_measure(&self, request: Request<v1::FinishMeasureRequest>) -> Reply<v1::FinishMeasureResponse> {
        self.write_stated(request, ("result", |request| request.result), authorized::<_, FinishMeasure>).await
    }

    async fn batch_case_commands(
        &self,
        request: Request<Streaming<v1::BatchCaseCommandsRequest>>,
    ) -> Reply<v1::BatchCaseCommandsResponse> {
        let batch = CaseCommands::new(rights(&Caller::of(&request)?));
        Ok(Response::new(carry_out(&self.writer, request, batch).await?))
    }

    async fn get_case(&self, request: Request<v1::GetCaseRequest>) -> Reply<v1::GetCaseResponse> {
        let mut tx = self.read(&request).await?;
        let case = cases::find(&mut tx, convert::cases::case_id(&request.into_inner().case_id)?).await?;
        let measures = measures::of_cases(&mut tx, &[case.id]).await?;
        Ok(Response::new(CaseFile { case, measures }.into()))
    }

    async fn list_cases(&self, request: Request<v1::ListCasesRequest>) -> Reply<v1::ListCasesResponse> {
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
    ) -> Reply<v1::ListOverdueStepsResponse> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let within = convert::optional_region("region_code", &request.region_code)?;
        let page = Page::<DayKey>::parse(request.page_size, &request.page_token).map_err(Error::from)?;
        let today = self.clock.today();
        let found = cases::overdue(&mut tx, within, today, &page).await?;
        let (found, next_page_token) = page.cut(found, |step| DayKey { day: step.due_on, id: step.case.0 });
        let steps = found.into_iter().map(|step| convert::cases::overdue(step, today)).collect();
        Ok(Response::new(v1::ListOverdueStepsResponse { steps, next_page_token }))
    }

    async fn render_notice(&self, request: Request<v1::RenderNoticeRequest>) -> Reply<v1::RenderNoticeResponse> {
        let mut tx = self.read(&request).await?;
        let case = convert::cases::case_id(&request.into_inner().case_id)?;
        let notice = notice::render(&mut tx, &self.keys, case).await?;
        Ok(Response::new(v1::RenderNoticeResponse { notice: Some(notice) }))
    }
}
