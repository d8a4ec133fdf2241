//! The methods of `VillageService`.

use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Reply},
    page::PageKey,
    register,
};
use tongxin_proto::monitoring::v1::{self, village_service_server::VillageService};
use tonic::{Request, Response};

use super::{Door, checks, convert};
use crate::{
    domain::quality,
    error::Error,
    store::{
        defects::{self, DefectCount},
        incomes,
    },
};

#[tonic::async_trait]
impl VillageService for Door {
    async fn record_village_income(
        &self,
        request: Request<v1::RecordVillageIncomeRequest>,
    ) -> Reply<v1::RecordVillageIncomeResponse> {
        self.write(request, |request| convert::villages::record_village_income(&request)).await
    }

    async fn get_village_income(
        &self,
        request: Request<v1::GetVillageIncomeRequest>,
    ) -> Reply<v1::GetVillageIncomeResponse> {
        let mut tx = self.read(&request).await?;
        let region = convert::region("region_code", &request.into_inner().region_code)?;
        register::ensure(&mut tx, region).await.map_err(Error::from)?;
        let incomes = incomes::list(&mut tx, region).await?.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::GetVillageIncomeResponse { incomes }))
    }

    async fn list_quality_rules(&self, _: Request<v1::ListQualityRulesRequest>) -> Reply<v1::ListQualityRulesResponse> {
        let rules = quality::rules().map(Into::into).collect();
        Ok(Response::new(v1::ListQualityRulesResponse { rules }))
    }

    type CheckHouseholdsStream = Answers<v1::CheckHouseholdsResponse>;

    async fn check_households(
        &self,
        request: Request<v1::CheckHouseholdsRequest>,
    ) -> Reply<Answers<v1::CheckHouseholdsResponse>> {
        let sees = Caller::of(&request)?.region().range();
        let mut tx = self.read(&request).await?;
        let region = convert::region("region_code", &request.into_inner().region_code)?;
        register::ensure(&mut tx, region).await.map_err(Error::from)?;
        Ok(Response::new(checks::answer(self, region, sees)))
    }

    async fn list_defects(&self, request: Request<v1::ListDefectsRequest>) -> Reply<v1::ListDefectsResponse> {
        let mut tx = self.read(&request).await?;
        let (filter, page) = convert::villages::list_defects(&request.into_inner())?;
        let total = match page.after {
            None => defects::total(&mut tx, &filter).await?,
            Some(_) => 0,
        };
        let counts = defects::counts(&mut tx, &filter, &page).await?;
        let (counts, next_page_token) = page.cut(counts, DefectCount::place);
        let counts = counts.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListDefectsResponse { counts, total, next_page_token }))
    }

    async fn list_defective_households(
        &self,
        request: Request<v1::ListDefectiveHouseholdsRequest>,
    ) -> Reply<v1::ListDefectiveHouseholdsResponse> {
        let mut tx = self.read(&request).await?;
        let (region, rule, page) = convert::villages::list_defective_households(&request.into_inner())?;
        let (defects, next_page_token) = page.cut(defects::list(&mut tx, region, rule, &page).await?, |defect| {
            PageKey { region: defect.region, id: defect.household.0 }
        });
        let defects = defects.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListDefectiveHouseholdsResponse { defects, next_page_token }))
    }
}
