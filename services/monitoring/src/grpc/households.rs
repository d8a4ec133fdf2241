//! The door of HouseholdService.

use std::pin::Pin;

use futures::Stream;
use tongxin_proto::monitoring::v1::{self, household_service_server::HouseholdService};
use tonic::{Request, Response, Status, Streaming};

use super::Door;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl HouseholdService for Door {
    async fn register_household(
        &self,
        _: Request<v1::RegisterHouseholdRequest>,
    ) -> Result<Response<v1::RegisterHouseholdResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    type ImportHouseholdsStream = Answers<v1::ImportHouseholdsResponse>;

    async fn import_households(
        &self,
        _: Request<Streaming<v1::ImportHouseholdsRequest>>,
    ) -> Result<Response<Answers<v1::ImportHouseholdsResponse>>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_import(&self, _: Request<v1::GetImportRequest>) -> Result<Response<v1::GetImportResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_household(
        &self,
        _: Request<v1::GetHouseholdRequest>,
    ) -> Result<Response<v1::GetHouseholdResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_households(
        &self,
        _: Request<v1::ListHouseholdsRequest>,
    ) -> Result<Response<v1::ListHouseholdsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn find_households(
        &self,
        _: Request<v1::FindHouseholdsRequest>,
    ) -> Result<Response<v1::FindHouseholdsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn reveal_household(
        &self,
        _: Request<v1::RevealHouseholdRequest>,
    ) -> Result<Response<v1::RevealHouseholdResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn change_household(
        &self,
        _: Request<v1::ChangeHouseholdRequest>,
    ) -> Result<Response<v1::ChangeHouseholdResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn set_member(&self, _: Request<v1::SetMemberRequest>) -> Result<Response<v1::SetMemberResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn remove_member(
        &self,
        _: Request<v1::RemoveMemberRequest>,
    ) -> Result<Response<v1::RemoveMemberResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn move_household(
        &self,
        _: Request<v1::MoveHouseholdRequest>,
    ) -> Result<Response<v1::MoveHouseholdResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn merge_households(
        &self,
        _: Request<v1::MergeHouseholdsRequest>,
    ) -> Result<Response<v1::MergeHouseholdsResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn undo_merge(&self, _: Request<v1::UndoMergeRequest>) -> Result<Response<v1::UndoMergeResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
