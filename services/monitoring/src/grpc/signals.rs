//! The door of SignalService.

use tongxin_proto::monitoring::v1::{self, signal_service_server::SignalService};
use tonic::{Request, Response, Status, Streaming};

use super::Door;

#[tonic::async_trait]
impl SignalService for Door {
    async fn report_signal(
        &self,
        _: Request<v1::ReportSignalRequest>,
    ) -> Result<Response<v1::ReportSignalResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn submit_warnings(
        &self,
        _: Request<Streaming<v1::SubmitWarningsRequest>>,
    ) -> Result<Response<v1::SubmitWarningsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn decide_signal(
        &self,
        _: Request<v1::DecideSignalRequest>,
    ) -> Result<Response<v1::DecideSignalResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_signal(&self, _: Request<v1::GetSignalRequest>) -> Result<Response<v1::GetSignalResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_signals(
        &self,
        _: Request<v1::ListSignalsRequest>,
    ) -> Result<Response<v1::ListSignalsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_funnel(&self, _: Request<v1::GetFunnelRequest>) -> Result<Response<v1::GetFunnelResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
