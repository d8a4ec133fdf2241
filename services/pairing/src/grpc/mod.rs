//! The gRPC door: translate, call one command or query, translate back.

mod convert;
mod import;

use tongxin_platform::{
    access::Caller,
    clock::Clock,
    db::{Scope, Transaction},
    page::Place,
    plain_answers,
    request::{Answer, Call, Command, DateRefused, Writer, batch},
};
use tongxin_proto::pairing::v1::{self, pairing_service_server::PairingService};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    commands::{
        EstablishPairing, EstablishPairings, Policy, RecordActivity, RegisterOrganisation, RegisterOrganisations,
    },
    domain::{coverage::CoverageRule, organisation::Organisation, pairing::Pairing},
    error::{Error, Refused},
    store::{activities, coverage_rules, organisations, pairings, regions},
};

// Pairing keeps nothing that is personal.
plain_answers!(
    Policy, Error:
    v1::RegisterOrganisationResponse,
    v1::CloseOrganisationResponse,
    v1::EstablishPairingResponse,
    v1::EndPairingResponse,
    v1::VoidPairingResponse,
    v1::RecordJointActivityResponse,
    v1::VoidJointActivityResponse,
    v1::BatchRegisterOrganisationsResponse,
    v1::BatchEstablishPairingsResponse,
    v1::ImportRegionsResponse,
);

/// What the door needs to answer.
#[derive(Clone)]
pub struct Door {
    /// The database, for reads.
    pub pool: sqlx::PgPool,
    /// The time.
    pub clock: Clock,
    /// Carries out changes.
    pub writer: Writer<Policy>,
}

impl Door {
    /// Begins a read within the caller's region.
    async fn read<M>(&self, request: &Request<M>) -> Result<Transaction, Status> {
        let caller = Caller::of(request)?;
        Ok(Scope::region(caller.region()).read(&self.pool).await.map_err(Error::from)?)
    }

    /// Carries out what the draft in a request states.
    async fn carry_out<Stated, Draft, C, Reply>(
        &self,
        call: Call,
        stated: Option<Stated>,
        command: fn(Draft) -> C,
    ) -> Result<Reply, Error>
    where
        Stated: Default,
        Draft: TryFrom<Stated, Error = Error>,
        C: Command<Policy = Policy, Error = Error>,
        Reply: Answer<Policy, Error = Error> + From<C::Output>,
    {
        let draft = stated.unwrap_or_default().try_into()?;
        self.writer.execute(call, command(draft)).await
    }

    fn coverage_rule(&self, name: &str) -> Result<&CoverageRule, Error> {
        let rules = &self.writer.policy().coverage.0;
        let known = || rules.keys().cloned().collect::<Vec<_>>().join(", ");
        rules.get(name).ok_or_else(|| Refused::CoverageRuleNotFound(name.to_owned(), known()).into())
    }
}

#[tonic::async_trait]
impl PairingService for Door {
    type ImportRegionsStream = import::Answers;

    async fn import_regions(
        &self,
        request: Request<Streaming<v1::ImportRegionsRequest>>,
    ) -> Result<Response<import::Answers>, Status> {
        Ok(Response::new(import::answer(self.clone(), request)?))
    }

    async fn get_region(
        &self,
        request: Request<v1::GetRegionRequest>,
    ) -> Result<Response<v1::GetRegionResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let code = convert::region("code", &request.into_inner().code)?;
        let region = regions::find(&mut tx, code).await.map_err(|error| error.at("code"))?;
        Ok(Response::new(v1::GetRegionResponse { region: Some(region.into()) }))
    }

    async fn list_regions(
        &self,
        request: Request<v1::ListRegionsRequest>,
    ) -> Result<Response<v1::ListRegionsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let (parent, page) = convert::list_regions(&request.into_inner())?;
        regions::find(&mut tx, parent).await.map_err(|error| error.at("parent_code"))?;
        let (regions, next_page_token) =
            page.cut(regions::list(&mut tx, parent, &page).await?, |region| region.code.number());
        Ok(Response::new(v1::ListRegionsResponse { regions: convert::all(regions), next_page_token }))
    }

    async fn register_organisation(
        &self,
        request: Request<v1::RegisterOrganisationRequest>,
    ) -> Result<Response<v1::RegisterOrganisationResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let answer = self.carry_out(call, request.organisation, RegisterOrganisation).await;
        Ok(Response::new(answer.map_err(|error| error.within("organisation"))?))
    }

    async fn batch_register_organisations(
        &self,
        request: Request<Streaming<v1::BatchRegisterOrganisationsRequest>>,
    ) -> Result<Response<v1::BatchRegisterOrganisationsResponse>, Status> {
        Ok(Response::new(batch::carry_out(&self.writer, request, batch::independent(RegisterOrganisations)).await?))
    }

    async fn get_organisation(
        &self,
        request: Request<v1::GetOrganisationRequest>,
    ) -> Result<Response<v1::GetOrganisationResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let id = convert::organisation_id("organisation_id", &request.into_inner().organisation_id)?;
        let organisation = organisations::find(&mut tx, id).await?;
        Ok(Response::new(v1::GetOrganisationResponse { organisation: Some(organisation.into()) }))
    }

    async fn list_organisations(
        &self,
        request: Request<v1::ListOrganisationsRequest>,
    ) -> Result<Response<v1::ListOrganisationsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (filter, page) = convert::list_organisations(&request.into_inner(), own)?;
        let place = |one: &Organisation| Place { region: one.draft.region, id: one.id.0 };
        let (organisations, next_page_token) = page.cut(organisations::list(&mut tx, &filter, &page).await?, place);
        let organisations = convert::all(organisations);
        Ok(Response::new(v1::ListOrganisationsResponse { organisations, next_page_token }))
    }

    async fn close_organisation(
        &self,
        request: Request<v1::CloseOrganisationRequest>,
    ) -> Result<Response<v1::CloseOrganisationResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let command = convert::close_organisation(request)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }

    async fn establish_pairing(
        &self,
        request: Request<v1::EstablishPairingRequest>,
    ) -> Result<Response<v1::EstablishPairingResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let answer = self.carry_out(call, request.pairing, EstablishPairing).await;
        Ok(Response::new(answer.map_err(|error| error.within("pairing"))?))
    }

    async fn batch_establish_pairings(
        &self,
        request: Request<Streaming<v1::BatchEstablishPairingsRequest>>,
    ) -> Result<Response<v1::BatchEstablishPairingsResponse>, Status> {
        Ok(Response::new(batch::carry_out(&self.writer, request, batch::independent(EstablishPairings)).await?))
    }

    async fn end_pairing(
        &self,
        request: Request<v1::EndPairingRequest>,
    ) -> Result<Response<v1::EndPairingResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let command = convert::end_pairing(request)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }

    async fn void_pairing(
        &self,
        request: Request<v1::VoidPairingRequest>,
    ) -> Result<Response<v1::VoidPairingResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let command = convert::void_pairing(request)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }

    async fn get_pairing(
        &self,
        request: Request<v1::GetPairingRequest>,
    ) -> Result<Response<v1::GetPairingResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let id = convert::pairing_id(&request.into_inner().pairing_id)?;
        let pairing = pairings::find(&mut tx, id).await?;
        Ok(Response::new(v1::GetPairingResponse { pairing: Some(pairing.into()) }))
    }

    async fn list_pairings(
        &self,
        request: Request<v1::ListPairingsRequest>,
    ) -> Result<Response<v1::ListPairingsResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (filter, page) = convert::list_pairings(&request.into_inner(), own)?;
        let place = |one: &Pairing| Place { region: one.region, id: one.id.0 };
        let (pairings, next_page_token) = page.cut(pairings::list(&mut tx, &filter, &page).await?, place);
        Ok(Response::new(v1::ListPairingsResponse { pairings: convert::all(pairings), next_page_token }))
    }

    async fn record_joint_activity(
        &self,
        request: Request<v1::RecordJointActivityRequest>,
    ) -> Result<Response<v1::RecordJointActivityResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let answer = self.carry_out(call, request.activity, RecordActivity).await;
        Ok(Response::new(answer.map_err(|error| error.within("activity"))?))
    }

    async fn void_joint_activity(
        &self,
        request: Request<v1::VoidJointActivityRequest>,
    ) -> Result<Response<v1::VoidJointActivityResponse>, Status> {
        let (call, request) = Call::open(request, |request| &request.request_id)?;
        let command = convert::void_activity(request)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }

    async fn list_joint_activities(
        &self,
        request: Request<v1::ListJointActivitiesRequest>,
    ) -> Result<Response<v1::ListJointActivitiesResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let (pairing, page) = convert::list_activities(&request)?;
        pairings::find(&mut tx, pairing).await?;
        let activities = activities::list(&mut tx, pairing, request.include_voided, &page).await?;
        let (activities, next_page_token) = page.cut(activities, |activity| activity.id.0);
        let activities = convert::all(activities);
        Ok(Response::new(v1::ListJointActivitiesResponse { activities, next_page_token }))
    }

    async fn get_coverage(
        &self,
        request: Request<v1::GetCoverageRequest>,
    ) -> Result<Response<v1::GetCoverageResponse>, Status> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let (region, as_of) = convert::region_and_day(&request, &self.clock)?;
        let rule = self.coverage_rule(&request.rule)?;
        coverage_rules::ensure(&mut tx, &self.writer.policy().coverage).await?;
        regions::find(&mut tx, region).await?;
        let villages = regions::assisted_villages(&mut tx, region, as_of).await?;
        let pairings = pairings::in_force(&mut tx, region, &rule.kinds(), as_of).await?;
        let coverage = convert::coverage(request, as_of, rule, villages, &pairings);
        Ok(Response::new(v1::GetCoverageResponse { coverage: Some(coverage) }))
    }
}

/// A day that is asked about may not be after today.
fn not_after_today(field: &'static str, day: chrono::NaiveDate, clock: &Clock) -> Result<(), Error> {
    let today = clock.today();
    if day > today { Err(Error::Date(field, DateRefused::InFuture { date: day, today })) } else { Ok(()) }
}
