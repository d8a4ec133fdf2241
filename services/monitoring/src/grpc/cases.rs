//! The door of CaseService.

use tongxin_proto::monitoring::v1::{self, case_service_server::CaseService};
use tonic::{Request, Response, Status, Streaming};

use super::Door;

#[tonic::async_trait]
impl CaseService for Door {
    async fn open_case(&self, _: Request<v1::OpenCaseRequest>) -> Result<Response<v1::OpenCaseResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn record_step(&self, _: Request<v1::RecordStepRequest>) -> Result<Response<v1::RecordStepResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn propose_removal(
        &self,
        _: Request<v1::ProposeRemovalRequest>,
    ) -> Result<Response<v1::ProposeRemovalResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn roll_back_removal(
        &self,
        _: Request<v1::RollBackRemovalRequest>,
    ) -> Result<Response<v1::RollBackRemovalResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn plan_measure(
        &self,
        _: Request<v1::PlanMeasureRequest>,
    ) -> Result<Response<v1::PlanMeasureResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn finish_measure(
        &self,
        _: Request<v1::FinishMeasureRequest>,
    ) -> Result<Response<v1::FinishMeasureResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn batch_case_commands(
        &self,
        _: Request<Streaming<v1::BatchCaseCommandsRequest>>,
    ) -> Result<Response<v1::BatchCaseCommandsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_case(&self, _: Request<v1::GetCaseRequest>) -> Result<Response<v1::GetCaseResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_cases(&self, _: Request<v1::ListCasesRequest>) -> Result<Response<v1::ListCasesResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_overdue_steps(
        &self,
        _: Request<v1::ListOverdueStepsRequest>,
    ) -> Result<Response<v1::ListOverdueStepsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn render_notice(
        &self,
        _: Request<v1::RenderNoticeRequest>,
    ) -> Result<Response<v1::RenderNoticeResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
