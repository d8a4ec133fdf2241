//! Loads the sample year through a gateway, as any other client would.
//!
//! Every request has an identifier that follows from the sample's name and its place, so a load that was broken off
//! is simply begun again: what is there answers as it did and changes nothing.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tongxin_proto::pairing::v1::{
    BatchEstablishPairingsRequest, BatchOptions, BatchRegisterOrganisationsRequest, ImportRegionsRequest,
    JointActivityDraft, OrganisationRows, PairingDraft, PairingRows, RecordJointActivityRequest, RegionEdition,
    RegionRows, RowError, batch_establish_pairings_request, batch_register_organisations_request,
    import_regions_request,
};
use tonic::Status;
use uuid::Uuid;

use super::{
    files::Files,
    year::{Activity, Year},
};
use crate::{
    client::{Gateway, is_passing},
    progress::Progress,
};

const ROWS_PER_MESSAGE: usize = 200;
const REGIONS_PER_MESSAGE: usize = 1_000;
const CALLS_IN_FLIGHT: usize = 16;

/// A call that finds its service away is made again for about a minute.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Loads the register, then what happened.
pub async fn load(gateway: &Gateway, files: &Files, year: &Year) -> Result<()> {
    let loading = Loading { gateway, files };
    loading.regions().await.context("the register of the sample was not taken")?;
    let organisations = loading.organisations(year).await.context("the organisations were not taken")?;
    let pairings = loading.pairings(year, &organisations).await.context("the pairings were not taken")?;
    loading.activities(year, &pairings).await.context("the joint activities were not taken")
}

struct Loading<'sample> {
    gateway: &'sample Gateway,
    files: &'sample Files,
}

impl Loading<'_> {
    /// The identifier of a request by what it is about.
    fn request_id(&self, about: &str) -> String {
        let name = format!("tongxin/sample/{}/{about}", self.files.manifest.name);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    fn options(&self, about: &str) -> BatchOptions {
        BatchOptions { request_id: self.request_id(about), all_or_nothing: false }
    }

    /// Makes a call again while its service is away.
    async fn call<T, Call>(&self, mut call: impl FnMut() -> Call) -> Result<T>
    where
        Call: Future<Output = Result<T, Status>>,
    {
        let mut attempt = 1;
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(status) if is_passing(&status) && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(status) => return Err(self.gateway.explain(&status)),
            }
        }
    }

    async fn regions(&self) -> Result<()> {
        use import_regions_request::Part;

        let manifest = &self.files.manifest;
        let edition = RegionEdition {
            request_id: self.request_id("regions"),
            effective_from: Some(manifest.register_effective_from.into()),
            complete_for: String::new(),
            source: manifest.register_source.clone(),
            row_count: 0,
        };
        let rows = self.files.regions.chunks(REGIONS_PER_MESSAGE);
        let rows = rows.map(|rows| Part::Rows(RegionRows { rows: rows.to_vec() }));
        let messages: Vec<_> = std::iter::once(Part::Edition(edition))
            .chain(rows)
            .map(|part| ImportRegionsRequest { part: Some(part) })
            .collect();
        let progress = Progress::begin("regions", None);
        self.call(|| async {
            let answers = self.gateway.pairing().import_regions(stream::iter(messages.clone())).await?;
            answers.into_inner().try_for_each(|_| async { Ok(()) }).await
        })
        .await?;
        progress.end(&self.files.regions.len().to_string());
        Ok(())
    }

    /// Returns their identifiers in their order.
    async fn organisations(&self, year: &Year) -> Result<Vec<String>> {
        use batch_register_organisations_request::Part;

        let rows = year.organisations.chunks(ROWS_PER_MESSAGE);
        let rows = rows.map(|rows| Part::Rows(OrganisationRows { rows: rows.to_vec() }));
        let messages: Vec<_> = std::iter::once(Part::Options(self.options("organisations")))
            .chain(rows)
            .map(|part| BatchRegisterOrganisationsRequest { part: Some(part) })
            .collect();
        let progress = Progress::begin("organisations", None);
        let answer = self
            .call(|| async {
                self.gateway.pairing().batch_register_organisations(stream::iter(messages.clone())).await
            })
            .await?
            .into_inner();
        none_refused(&answer.errors)?;
        progress.end(&answer.accepted.to_string());
        Ok(answer.organisation_ids)
    }

    /// Returns their identifiers in their order.
    async fn pairings(&self, year: &Year, organisations: &[String]) -> Result<Vec<String>> {
        use batch_establish_pairings_request::Part;

        let mut drafts = Vec::with_capacity(year.pairings.len());
        for pairing in &year.pairings {
            drafts.push(PairingDraft {
                kind: pairing.kind.into(),
                supporter_id: at(organisations, pairing.supporter)?,
                recipient_id: at(organisations, pairing.recipient)?,
                agreement_number: pairing.agreement_number.clone(),
                starts_on: Some(pairing.starts_on.into()),
                ends_on: None,
            });
        }
        let rows = drafts.chunks(ROWS_PER_MESSAGE).map(|rows| Part::Rows(PairingRows { rows: rows.to_vec() }));
        let messages: Vec<_> = std::iter::once(Part::Options(self.options("pairings")))
            .chain(rows)
            .map(|part| BatchEstablishPairingsRequest { part: Some(part) })
            .collect();
        let progress = Progress::begin("pairings", None);
        let answer = self
            .call(|| async { self.gateway.pairing().batch_establish_pairings(stream::iter(messages.clone())).await })
            .await?
            .into_inner();
        none_refused(&answer.errors)?;
        progress.end(&answer.accepted.to_string());
        Ok(answer.pairing_ids)
    }

    async fn activities(&self, year: &Year, pairings: &[String]) -> Result<()> {
        let total = year.activities.len();
        let mut progress = Progress::begin("joint activities", u64::try_from(total).ok());
        let calls = year.activities.iter().enumerate();
        let calls = calls.map(|(place, activity)| self.activity(place, activity, pairings));
        let mut calls = stream::iter(calls).buffer_unordered(CALLS_IN_FLIGHT);
        let mut done = 0;
        while calls.try_next().await?.is_some() {
            done += 1;
            progress.reach(done);
        }
        progress.end(&total.to_string());
        Ok(())
    }

    async fn activity(&self, place: usize, activity: &Activity, pairings: &[String]) -> Result<()> {
        let request = RecordJointActivityRequest {
            request_id: self.request_id(&format!("activities/{place}")),
            activity: Some(JointActivityDraft {
                pairing_id: at(pairings, activity.pairing)?,
                kind: activity.kind.into(),
                held_on: Some(activity.held_on.into()),
                participants: activity.participants,
                remark: activity.remark.to_owned(),
            }),
        };
        self.call(|| async { self.gateway.pairing().record_joint_activity(request.clone()).await }).await?;
        Ok(())
    }
}

fn at(ids: &[String], place: usize) -> Result<String> {
    ids.get(place).cloned().with_context(|| format!("the service answered without an identifier for row {}", place + 1))
}

fn none_refused(errors: &[RowError]) -> Result<()> {
    if let Some(RowError { row, reason, message, .. }) = errors.first() {
        bail!("{} row(s) refused; row {row}: {message} ({reason})", errors.len());
    }
    Ok(())
}
