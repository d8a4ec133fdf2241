//! The methods of `HouseholdService`.

use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Reply},
    import::{self, ImportId},
    page::PageKey,
    register,
};
use tongxin_proto::monitoring::v1::{self, household_service_server::HouseholdService};
use tonic::{Request, Response, Streaming};

use super::{Door, convert, convert::households as read};
use crate::{
    commands::{HouseholdImport, NewHousehold, RegisterHousehold},
    domain::HouseholdId,
    error::{Error, Refused},
    store::households,
};

#[tonic::async_trait]
impl HouseholdService for Door {
    async fn register_household(
        &self,
        request: Request<v1::RegisterHouseholdRequest>,
    ) -> Reply<v1::RegisterHouseholdResponse> {
        let today = self.clock.today();
        self.write_stated(request, ("household", |request| request.household), |stated, _| {
            read::household(stated, today).map(RegisterHousehold)
        })
        .await
    }

    type ImportHouseholdsStream = Answers<v1::ImportHouseholdsResponse>;

    async fn import_households(
        &self,
        request: Request<Streaming<v1::ImportHouseholdsRequest>>,
    ) -> Reply<Answers<v1::ImportHouseholdsResponse>> {
        let may_read = Caller::of(&request)?.may("monitoring.household.read");
        let imported = if may_read { HouseholdImport::new } else { HouseholdImport::of_blind };
        import::answer(&self.writer, request, imported, |row, policy, context| {
            Ok(NewHousehold::prepare(policy, context, read::stated_household(row)?))
        })
    }

    async fn get_import(&self, request: Request<v1::GetImportRequest>) -> Reply<v1::GetImportResponse> {
        let caller = Caller::of(&request)?;
        let mut tx = self.read(&request).await?;
        let id = ImportId(convert::uuid("import_id", &request.into_inner().import_id)?);
        let status = import::status::<Refused>(&mut tx, caller.subject(), id).await?;
        Ok(Response::new(status.into()))
    }

    async fn get_household(&self, request: Request<v1::GetHouseholdRequest>) -> Reply<v1::GetHouseholdResponse> {
        let mut tx = self.read(&request).await?;
        let id = convert::household_id("household_id", &request.into_inner().household_id)?;
        let household = households::find(&mut tx, &self.keys, id).await?;
        Ok(Response::new(v1::GetHouseholdResponse { household: Some(household.into()) }))
    }

    async fn list_households(&self, request: Request<v1::ListHouseholdsRequest>) -> Reply<v1::ListHouseholdsResponse> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let request = request.into_inner();
        let (asked, page) = read::list(&request)?;
        if let Some(region) = asked {
            register::ensure(&mut tx, region).await.map_err(Error::from)?;
        }
        let listed = households::list(&mut tx, asked.unwrap_or(own).range(), &page).await?;
        let (listed, next_page_token) =
            page.cut(listed, |listed| PageKey { region: listed.head.region, id: listed.head.id.0 });
        let households = if request.with_members {
            let ids: Vec<HouseholdId> = listed.iter().map(|listed| listed.head.id).collect();
            let mut whole = households::find_many(&mut tx, &self.keys, &ids).await?;
            ids.iter().filter_map(|id| whole.remove(id)).map(v1::Household::from).collect()
        } else {
            listed.into_iter().map(v1::Household::from).collect()
        };
        Ok(Response::new(v1::ListHouseholdsResponse { households, next_page_token }))
    }

    async fn find_households(&self, request: Request<v1::FindHouseholdsRequest>) -> Reply<v1::FindHouseholdsResponse> {
        let caller = Caller::of(&request)?;
        let command = read::find(&request.into_inner(), &self.keys, caller.region())?;
        let found = self.writer.execute_each_time(&caller, command).await?;
        let households = found.into_iter().map(v1::Household::from).collect();
        Ok(Response::new(v1::FindHouseholdsResponse { households }))
    }

    async fn reveal_household(
        &self,
        request: Request<v1::RevealHouseholdRequest>,
    ) -> Reply<v1::RevealHouseholdResponse> {
        let caller = Caller::of(&request)?;
        let command = read::reveal(request.into_inner())?;
        let household = self.writer.execute_each_time(&caller, command).await?;
        Ok(Response::new(v1::RevealHouseholdResponse { household: Some(household.into()) }))
    }

    async fn change_household(
        &self,
        request: Request<v1::ChangeHouseholdRequest>,
    ) -> Reply<v1::ChangeHouseholdResponse> {
        self.write(request, read::change).await
    }

    async fn set_member(&self, request: Request<v1::SetMemberRequest>) -> Reply<v1::SetMemberResponse> {
        self.write(request, read::set_member).await
    }

    async fn remove_member(&self, request: Request<v1::RemoveMemberRequest>) -> Reply<v1::RemoveMemberResponse> {
        self.write(request, |request| read::remove_member(&request)).await
    }

    async fn move_household(&self, request: Request<v1::MoveHouseholdRequest>) -> Reply<v1::MoveHouseholdResponse> {
        self.write(request, |request| read::move_household(&request)).await
    }

    async fn merge_households(
        &self,
        request: Request<v1::MergeHouseholdsRequest>,
    ) -> Reply<v1::MergeHouseholdsResponse> {
        self.write(request, |request| read::merge(&request)).await
    }

    async fn undo_merge(&self, request: Request<v1::UndoMergeRequest>) -> Reply<v1::UndoMergeResponse> {
        self.write(request, |request| read::undo_merge(&request)).await
    }
}
