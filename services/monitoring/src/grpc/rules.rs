//! The door of RuleService.

use std::pin::Pin;

use futures::Stream;
use tongxin_proto::monitoring::v1::{self, rule_service_server::RuleService};
use tonic::{Request, Response, Status};

use super::Door;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl RuleService for Door {
    async fn store_rule_set(
        &self,
        _: Request<v1::StoreRuleSetRequest>,
    ) -> Result<Response<v1::StoreRuleSetResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_rule_set(
        &self,
        _: Request<v1::GetRuleSetRequest>,
    ) -> Result<Response<v1::GetRuleSetResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_rule_sets(
        &self,
        _: Request<v1::ListRuleSetsRequest>,
    ) -> Result<Response<v1::ListRuleSetsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    type ScreenHouseholdsStream = Answers<v1::ScreenHouseholdsResponse>;

    async fn screen_households(
        &self,
        _: Request<v1::ScreenHouseholdsRequest>,
    ) -> Result<Response<Answers<v1::ScreenHouseholdsResponse>>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    type SimulateRuleSetStream = Answers<v1::SimulateRuleSetResponse>;

    async fn simulate_rule_set(
        &self,
        _: Request<v1::SimulateRuleSetRequest>,
    ) -> Result<Response<Answers<v1::SimulateRuleSetResponse>>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_verdicts(
        &self,
        _: Request<v1::ListVerdictsRequest>,
    ) -> Result<Response<v1::ListVerdictsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn replay_verdict(
        &self,
        _: Request<v1::ReplayVerdictRequest>,
    ) -> Result<Response<v1::ReplayVerdictResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn set_holidays(
        &self,
        _: Request<v1::SetHolidaysRequest>,
    ) -> Result<Response<v1::SetHolidaysResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_holidays(
        &self,
        _: Request<v1::ListHolidaysRequest>,
    ) -> Result<Response<v1::ListHolidaysResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
