//! The door of HouseholdService.

use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Reply},
    import::{self, ImportId},
    page::Place,
    request::Call,
};
use tongxin_proto::monitoring::v1::{self, household_service_server::HouseholdService};
use tonic::{Request, Response, Status, Streaming};

use super::{Door, convert, convert::households as read};
use crate::{
    commands::{HouseholdImport, NewHousehold, RegisterHousehold},
    error::Refused,
    store::{households, regions},
};

#[tonic::async_trait]
impl HouseholdService for Door {
    async fn register_household(
        &self,
        request: Request<v1::RegisterHouseholdRequest>,
    ) -> Result<Response<v1::RegisterHouseholdResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let draft = read::household(request.household.unwrap_or_default(), self.clock.today())?;
        Ok(Response::new(self.writer.execute(call, RegisterHousehold(draft)).await?))
    }

    type ImportHouseholdsStream = Answers<v1::ImportHouseholdsResponse>;

    async fn import_households(
        &self,
        request: Request<Streaming<v1::ImportHouseholdsRequest>>,
    ) -> Reply<Answers<v1::ImportHouseholdsResponse>> {
        import::answer(&self.writer, request, HouseholdImport::new, |row, policy, context| {
            NewHousehold::prepare(policy, context, read::household(row, context.today())?)
        })
    }

    async fn get_import(
        &self,
        request: Request<v1::GetImportRequest>,
    ) -> Result<Response<v1::GetImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut tx = self.read(&request).await?;
        let id = ImportId(convert::uuid("import_id", &request.into_inner().import_id)?);
        let status = import::status::<Refused>(&mut tx, caller.subject(), id).await?;
        Ok(Response::new(status.into()))
    }

    async fn get_household(
        &self,
        request: Request<v1::GetHouseholdRequest>,
    ) -> Result<Response<v1::GetHouseholdResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let id = convert::household_id("household_id", &request.into_inner().household_id)?;
        let household = households::find(&mut tx, &self.keys, id).await?;
        Ok(Response::new(v1::GetHouseholdResponse { household: Some(household.into()) }))
    }

    async fn list_households(
        &self,
        request: Request<v1::ListHouseholdsRequest>,
    ) -> Result<Response<v1::ListHouseholdsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (asked, page) = read::list(&request.into_inner())?;
        if let Some(region) = asked {
            regions::find_name(&mut tx, region).await?;
        }
        let listed = households::list(&mut tx, asked.unwrap_or(own).range(), &page).await?;
        let (listed, next_page_token) =
            page.cut(listed, |listed| Place { region: listed.head.region, id: listed.head.id.0 });
        let households = listed.into_iter().map(v1::Household::from).collect();
        Ok(Response::new(v1::ListHouseholdsResponse { households, next_page_token }))
    }

    async fn find_households(
        &self,
        request: Request<v1::FindHouseholdsRequest>,
    ) -> Result<Response<v1::FindHouseholdsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let command = read::find(&request.into_inner(), &self.keys, caller.region())?;
        let found = self.writer.execute_each_time(&caller, command).await?;
        let households = found.into_iter().map(v1::Household::from).collect();
        Ok(Response::new(v1::FindHouseholdsResponse { households }))
    }

    async fn reveal_household(
        &self,
        request: Request<v1::RevealHouseholdRequest>,
    ) -> Result<Response<v1::RevealHouseholdResponse>, Status> {
        let caller = Caller::of(&request)?;
        let command = read::reveal(request.into_inner())?;
        let household = self.writer.execute_each_time(&caller, command).await?;
        Ok(Response::new(v1::RevealHouseholdResponse { household: Some(household.into()) }))
    }

    async fn change_household(
        &self,
        request: Request<v1::ChangeHouseholdRequest>,
    ) -> Result<Response<v1::ChangeHouseholdResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        Ok(Response::new(self.writer.execute(call, read::change(request)?).await?))
    }

    async fn set_member(
        &self,
        request: Request<v1::SetMemberRequest>,
    ) -> Result<Response<v1::SetMemberResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        Ok(Response::new(self.writer.execute(call, read::set_member(request)?).await?))
    }

    async fn remove_member(
        &self,
        request: Request<v1::RemoveMemberRequest>,
    ) -> Result<Response<v1::RemoveMemberResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        Ok(Response::new(self.writer.execute(call, read::remove_member(&request)?).await?))
    }

    async fn move_household(
        &self,
        request: Request<v1::MoveHouseholdRequest>,
    ) -> Result<Response<v1::MoveHouseholdResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        Ok(Response::new(self.writer.execute(call, read::move_household(&request)?).await?))
    }

    async fn merge_households(
        &self,
        request: Request<v1::MergeHouseholdsRequest>,
    ) -> Result<Response<v1::MergeHouseholdsResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        Ok(Response::new(self.writer.execute(call, read::merge(&request)?).await?))
    }

    async fn undo_merge(
        &self,
        request: Request<v1::UndoMergeRequest>,
    ) -> Result<Response<v1::UndoMergeResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let command = read::undo_merge(&request)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }
}
