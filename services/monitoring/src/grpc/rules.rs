//! The methods of `RuleService`.

use chrono::{DateTime, Utc};
use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Reply},
    region::RegionCode,
    register,
};
use tongxin_proto::{
    monitoring::v1::{self, rule_service_server::RuleService},
    rules,
    text::Tidy as _,
};
use tonic::{Request, Response};
use uuid::Uuid;

use super::{Door, convert, screening};
use crate::{
    commands::{SetHolidays, StoreRuleSet},
    domain::{
        RuleSetId,
        rule_set::{RuleSet, RuleSetDraft},
    },
    error::{Error, Refused},
    store::{holidays, households, rule_sets, verdicts},
};

#[tonic::async_trait]
impl RuleService for Door {
    async fn store_rule_set(&self, request: Request<v1::StoreRuleSetRequest>) -> Reply<v1::StoreRuleSetResponse> {
        self.write(request, |request| request.rule_set.unwrap_or_default().try_into().map(StoreRuleSet)).await
    }

    async fn get_rule_set(&self, request: Request<v1::GetRuleSetRequest>) -> Reply<v1::GetRuleSetResponse> {
        let of_caller = Caller::of(&request)?.region();
        let mut tx = self.read(&request).await?;
        let id = convert::rule_set_id(&request.into_inner().rule_set_id)?;
        let rule_set = rule_sets::find(&mut tx, id).await?;
        if !binds(rule_set.region, of_caller) {
            return Err(Refused::RuleSetNotFound(id).into());
        }
        Ok(Response::new(v1::GetRuleSetResponse { rule_set: Some(rule_set.into()) }))
    }

    async fn list_rule_sets(&self, request: Request<v1::ListRuleSetsRequest>) -> Reply<v1::ListRuleSetsResponse> {
        let of_caller = Caller::of(&request)?.region();
        let mut tx = self.read(&request).await?;
        let region = convert::optional_region("region_code", &request.into_inner().region_code)?;
        if let Some(region) = region {
            register::ensure(&mut tx, region).await.map_err(Error::from)?;
        }
        let rule_sets = convert::all(rule_sets::list(&mut tx, region.unwrap_or(of_caller)).await?);
        Ok(Response::new(v1::ListRuleSetsResponse { rule_sets }))
    }

    type ScreenHouseholdsStream = Answers<v1::ScreenHouseholdsResponse>;

    async fn screen_households(
        &self,
        request: Request<v1::ScreenHouseholdsRequest>,
    ) -> Reply<Answers<v1::ScreenHouseholdsResponse>> {
        Ok(Response::new(screening::screen(self.clone(), request).await?))
    }

    type SimulateRuleSetStream = Answers<v1::SimulateRuleSetResponse>;

    async fn simulate_rule_set(
        &self,
        request: Request<v1::SimulateRuleSetRequest>,
    ) -> Reply<Answers<v1::SimulateRuleSetResponse>> {
        Ok(Response::new(screening::simulate(self, request).await?))
    }

    async fn list_verdicts(&self, request: Request<v1::ListVerdictsRequest>) -> Reply<v1::ListVerdictsResponse> {
        let mut tx = self.read(&request).await?;
        let household = convert::household_id("household_id", &request.into_inner().household_id)?;
        households::find_head(&mut tx, household).await?;
        let verdicts = convert::all(verdicts::list(&mut tx, household).await?);
        Ok(Response::new(v1::ListVerdictsResponse { verdicts }))
    }

    async fn replay_verdict(&self, request: Request<v1::ReplayVerdictRequest>) -> Reply<v1::ReplayVerdictResponse> {
        let mut tx = self.read(&request).await?;
        let id = convert::verdict_id(&request.into_inner().verdict_id)?;
        let given = verdicts::find(&mut tx, id).await?;
        let says = given.replay(&rule_sets::find(&mut tx, given.rule_set).await?);
        Ok(Response::new(convert::replay(given, says)))
    }

    async fn set_holidays(&self, request: Request<v1::SetHolidaysRequest>) -> Reply<v1::SetHolidaysResponse> {
        self.write(request, SetHolidays::try_from).await
    }

    async fn list_holidays(&self, request: Request<v1::ListHolidaysRequest>) -> Reply<v1::ListHolidaysResponse> {
        let of_caller = Caller::of(&request)?.region();
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let province = convert::province(&request.region_code, of_caller)?;
        let holidays = convert::all(holidays::list(&mut tx, (province, request.year)).await?);
        Ok(Response::new(v1::ListHolidaysResponse { holidays, region_code: province.to_string() }))
    }
}

/// Whether rules of a region apply to the caller's region, or to a part of it.
fn binds(region: RegionCode, of_caller: RegionCode) -> bool {
    region.contains(of_caller) || of_caller.contains(region)
}

/// Checks a rule set as `StoreRuleSet` does, without a service.
///
/// # Errors
/// The refusals of `StoreRuleSet` that do not depend on stored data.
pub fn check_rule_set(stated: v1::RuleSetDraft, now: DateTime<Utc>) -> Result<(), Error> {
    let mut request = v1::StoreRuleSetRequest { request_id: Uuid::nil().to_string(), rule_set: Some(stated) };
    request.tidy();
    rules::check(&request).map_err(|violations| Error::row(&violations))?;
    let draft = RuleSetDraft::try_from(request.rule_set.unwrap_or_default())?;
    RuleSet::compile(RuleSetId(Uuid::nil()), draft, now)?;
    Ok(())
}
