//! The gRPC methods: convert, call one command or query, convert back.

mod convert;
mod import;

use std::ops::Deref;

use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Endpoint, Reply},
    import::{self as imports, ImportId},
    page::PageKey,
    plain_answers, register,
    request::batch,
};
use tongxin_proto::pairing::v1::{self, pairing_service_server::PairingService};
use tonic::{Request, Response, Streaming};

use crate::{
    commands::{
        EndPairing, EstablishPairing, EstablishPairings, OrganisationImport, PairingImport, Policy, RecordActivity,
        RegisterOrganisation, RegisterOrganisations, VoidActivity, VoidPairing,
        organisations::{ChangeOrganisation, CloseOrganisation},
    },
    domain::{
        activity::Activity,
        coverage::CoverageRule,
        organisation::{Closed, Organisation},
        pairing::Pairing,
    },
    error::{Error, Refused},
    store::{activities, coverage_rules, organisations, pairings, regions},
};

// Pairing stores nothing personal.
plain_answers!(
    Policy, Error:
    v1::RegisterOrganisationResponse { organisation: Organisation },
    v1::ChangeOrganisationResponse { organisation: Organisation },
    v1::CloseOrganisationResponse { organisation: Organisation },
    v1::EstablishPairingResponse { pairing: Pairing },
    v1::EndPairingResponse { pairing: Pairing },
    v1::VoidPairingResponse { pairing: Pairing },
    v1::RecordJointActivityResponse { activity: Activity },
    v1::VoidJointActivityResponse { activity: Activity },
    v1::BatchRegisterOrganisationsResponse,
    v1::BatchEstablishPairingsResponse,
    v1::ImportRegionsResponse,
);

/// What the methods need.
#[derive(Clone)]
pub struct Door(pub Endpoint<Policy, Refused>);

impl Deref for Door {
    type Target = Endpoint<Policy, Refused>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Door {
    fn coverage_rule(&self, name: &str) -> Result<&CoverageRule, Error> {
        let rules = &self.writer.policy().coverage.0;
        let known = || rules.keys().cloned().collect::<Vec<_>>().join(", ");
        rules.get(name).ok_or_else(|| Refused::CoverageRuleNotFound(name.to_owned(), known()).into())
    }
}

#[tonic::async_trait]
impl PairingService for Door {
    type ImportRegionsStream = Answers<v1::ImportRegionsResponse>;

    async fn import_regions(
        &self,
        request: Request<Streaming<v1::ImportRegionsRequest>>,
    ) -> Reply<Answers<v1::ImportRegionsResponse>> {
        Ok(Response::new(import::answer(self.0.clone(), request)?))
    }

    async fn get_region(&self, request: Request<v1::GetRegionRequest>) -> Reply<v1::GetRegionResponse> {
        let mut tx = self.read(&request).await?;
        let code = convert::region("code", &request.into_inner().code)?;
        let region = regions::find(&mut tx, code).await.map_err(|error| error.at("code"))?;
        Ok(Response::new(v1::GetRegionResponse { region: Some(region.into()) }))
    }

    async fn list_regions(&self, request: Request<v1::ListRegionsRequest>) -> Reply<v1::ListRegionsResponse> {
        let mut tx = self.read(&request).await?;
        let (parent, page) = convert::list_regions(&request.into_inner())?;
        register::ensure(&mut tx, parent).await.map_err(Error::from).map_err(|error| error.at("parent_code"))?;
        let (regions, next_page_token) =
            page.cut(regions::list(&mut tx, parent, &page).await?, |region| region.registered.region_code.number());
        Ok(Response::new(v1::ListRegionsResponse { regions: convert::all(regions), next_page_token }))
    }

    async fn register_organisation(
        &self,
        request: Request<v1::RegisterOrganisationRequest>,
    ) -> Reply<v1::RegisterOrganisationResponse> {
        self.write_stated(request, ("organisation", |request| request.organisation), |stated, _| {
            stated.try_into().map(RegisterOrganisation)
        })
        .await
    }

    async fn batch_register_organisations(
        &self,
        request: Request<Streaming<v1::BatchRegisterOrganisationsRequest>>,
    ) -> Reply<v1::BatchRegisterOrganisationsResponse> {
        Ok(Response::new(batch::carry_out(&self.writer, request, batch::independent(RegisterOrganisations)).await?))
    }

    type ImportOrganisationsStream = Answers<v1::ImportOrganisationsResponse>;

    async fn import_organisations(
        &self,
        request: Request<Streaming<v1::ImportOrganisationsRequest>>,
    ) -> Reply<Answers<v1::ImportOrganisationsResponse>> {
        imports::answer(&self.writer, request, |_| OrganisationImport, |row, _, _| convert::organisation_row(row))
    }

    async fn get_import(&self, request: Request<v1::GetImportRequest>) -> Reply<v1::GetImportResponse> {
        let caller = Caller::of(&request)?;
        let mut tx = self.read(&request).await?;
        let id = ImportId(convert::uuid("import_id", &request.into_inner().import_id)?);
        let status = imports::status::<Refused>(&mut tx, caller.subject(), id).await?;
        Ok(Response::new(status.into()))
    }

    async fn get_organisation(
        &self,
        request: Request<v1::GetOrganisationRequest>,
    ) -> Reply<v1::GetOrganisationResponse> {
        let mut tx = self.read(&request).await?;
        let id = convert::organisation_id("organisation_id", &request.into_inner().organisation_id)?;
        let organisation = organisations::find(&mut tx, id).await?;
        Ok(Response::new(v1::GetOrganisationResponse { organisation: Some(organisation.into()) }))
    }

    async fn list_organisations(
        &self,
        request: Request<v1::ListOrganisationsRequest>,
    ) -> Reply<v1::ListOrganisationsResponse> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (filter, page) = convert::list_organisations(&request.into_inner(), own)?;
        let place = |one: &Organisation| PageKey { region: one.draft.region, id: one.id.0 };
        let (organisations, next_page_token) = page.cut(organisations::list(&mut tx, &filter, &page).await?, place);
        let organisations = convert::all(organisations);
        Ok(Response::new(v1::ListOrganisationsResponse { organisations, next_page_token }))
    }

    async fn change_organisation(
        &self,
        request: Request<v1::ChangeOrganisationRequest>,
    ) -> Reply<v1::ChangeOrganisationResponse> {
        self.write(request, |request| {
            Ok(ChangeOrganisation {
                organisation: convert::organisation_id("organisation_id", &request.organisation_id)?,
                name: request.name,
                credit_code: convert::credit_code(&request.credit_code)?,
                expected_version: request.expected_version,
            })
        })
        .await
    }

    async fn close_organisation(
        &self,
        request: Request<v1::CloseOrganisationRequest>,
    ) -> Reply<v1::CloseOrganisationResponse> {
        self.write(request, |request| {
            Ok(CloseOrganisation {
                organisation: convert::organisation_id("organisation_id", &request.organisation_id)?,
                closed: Closed { on: convert::date("closed_on", request.closed_on)?, reason: request.reason },
                expected_version: request.expected_version,
            })
        })
        .await
    }

    async fn establish_pairing(
        &self,
        request: Request<v1::EstablishPairingRequest>,
    ) -> Reply<v1::EstablishPairingResponse> {
        self.write_stated(request, ("pairing", |request| request.pairing), |stated, _| {
            stated.try_into().map(EstablishPairing)
        })
        .await
    }

    async fn batch_establish_pairings(
        &self,
        request: Request<Streaming<v1::BatchEstablishPairingsRequest>>,
    ) -> Reply<v1::BatchEstablishPairingsResponse> {
        Ok(Response::new(batch::carry_out(&self.writer, request, batch::independent(EstablishPairings)).await?))
    }

    type ImportPairingsStream = Answers<v1::ImportPairingsResponse>;

    async fn import_pairings(
        &self,
        request: Request<Streaming<v1::ImportPairingsRequest>>,
    ) -> Reply<Answers<v1::ImportPairingsResponse>> {
        imports::answer(&self.writer, request, |_| PairingImport, |row, _, _| convert::pairing_row(row))
    }

    async fn end_pairing(&self, request: Request<v1::EndPairingRequest>) -> Reply<v1::EndPairingResponse> {
        self.write(request, |request| {
            Ok(EndPairing {
                pairing: convert::pairing_id(&request.pairing_id)?,
                ends_on: convert::date("ends_on", request.ends_on)?,
                reason: request.reason,
                expected_version: request.expected_version,
            })
        })
        .await
    }

    async fn void_pairing(&self, request: Request<v1::VoidPairingRequest>) -> Reply<v1::VoidPairingResponse> {
        self.write(request, |request| {
            let pairing = convert::pairing_id(&request.pairing_id)?;
            Ok(VoidPairing { pairing, reason: request.reason, expected_version: request.expected_version })
        })
        .await
    }

    async fn get_pairing(&self, request: Request<v1::GetPairingRequest>) -> Reply<v1::GetPairingResponse> {
        let mut tx = self.read(&request).await?;
        let id = convert::pairing_id(&request.into_inner().pairing_id)?;
        let pairing = pairings::find(&mut tx, id).await?;
        Ok(Response::new(v1::GetPairingResponse { pairing: Some(pairing.into()) }))
    }

    async fn list_pairings(&self, request: Request<v1::ListPairingsRequest>) -> Reply<v1::ListPairingsResponse> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (filter, page) = convert::list_pairings(&request.into_inner(), own)?;
        let place = |one: &Pairing| PageKey { region: one.region, id: one.id.0 };
        let (pairings, next_page_token) = page.cut(pairings::list(&mut tx, &filter, &page).await?, place);
        Ok(Response::new(v1::ListPairingsResponse { pairings: convert::all(pairings), next_page_token }))
    }

    async fn record_joint_activity(
        &self,
        request: Request<v1::RecordJointActivityRequest>,
    ) -> Reply<v1::RecordJointActivityResponse> {
        self.write_stated(request, ("activity", |request| request.activity), |stated, _| {
            stated.try_into().map(RecordActivity)
        })
        .await
    }

    async fn void_joint_activity(
        &self,
        request: Request<v1::VoidJointActivityRequest>,
    ) -> Reply<v1::VoidJointActivityResponse> {
        self.write(request, |request| {
            Ok(VoidActivity { activity: convert::activity_id(&request.activity_id)?, reason: request.reason })
        })
        .await
    }

    async fn list_joint_activities(
        &self,
        request: Request<v1::ListJointActivitiesRequest>,
    ) -> Reply<v1::ListJointActivitiesResponse> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let (pairing, page) = convert::list_activities(&request)?;
        pairings::find(&mut tx, pairing).await?;
        let activities = activities::list(&mut tx, pairing, request.include_voided, &page).await?;
        let (activities, next_page_token) = page.cut(activities, |activity| activity.id.0);
        let activities = convert::all(activities);
        Ok(Response::new(v1::ListJointActivitiesResponse { activities, next_page_token }))
    }

    async fn get_coverage(&self, request: Request<v1::GetCoverageRequest>) -> Reply<v1::GetCoverageResponse> {
        let mut tx = self.read(&request).await?;
        let request = request.into_inner();
        let (region, as_of) = convert::region_and_day(&request, &self.clock)?;
        let rule = self.coverage_rule(&request.rule)?;
        coverage_rules::ensure(&mut tx, &self.writer.policy().coverage).await?;
        register::ensure(&mut tx, region).await.map_err(Error::from)?;
        let villages = regions::assisted_villages(&mut tx, region, as_of).await?;
        let pairings = pairings::in_force(&mut tx, region, &rule.kinds(), as_of).await?;
        let coverage = convert::coverage(request, as_of, rule, villages, &pairings);
        Ok(Response::new(v1::GetCoverageResponse { coverage: Some(coverage) }))
    }
}
