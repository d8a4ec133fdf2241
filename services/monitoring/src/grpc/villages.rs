//! The door of VillageService.

use std::pin::Pin;

use futures::Stream;
use tongxin_proto::monitoring::v1::{self, village_service_server::VillageService};
use tonic::{Request, Response, Status};

use super::Door;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl VillageService for Door {
    async fn record_village_income(
        &self,
        _: Request<v1::RecordVillageIncomeRequest>,
    ) -> Result<Response<v1::RecordVillageIncomeResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_village_income(
        &self,
        _: Request<v1::GetVillageIncomeRequest>,
    ) -> Result<Response<v1::GetVillageIncomeResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_quality_rules(
        &self,
        _: Request<v1::ListQualityRulesRequest>,
    ) -> Result<Response<v1::ListQualityRulesResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    type CheckHouseholdsStream = Answers<v1::CheckHouseholdsResponse>;

    async fn check_households(
        &self,
        _: Request<v1::CheckHouseholdsRequest>,
    ) -> Result<Response<Answers<v1::CheckHouseholdsResponse>>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_defects(
        &self,
        _: Request<v1::ListDefectsRequest>,
    ) -> Result<Response<v1::ListDefectsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_defective_households(
        &self,
        _: Request<v1::ListDefectiveHouseholdsRequest>,
    ) -> Result<Response<v1::ListDefectiveHouseholdsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
