//! Loads the register of the sample, its organisations, pairings and joint activities.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tongxin_proto::{
    batch::v1::BatchOptions,
    pairing::v1::{
        BatchEstablishPairingsRequest, BatchRegisterOrganisationsRequest, ImportRegionsRequest, JointActivityDraft,
        PairingDraft, RecordJointActivityRequest, RegionEdition, RegionRows, import_regions_request,
    },
};

use super::{CALLS_IN_FLIGHT, Loading, batch, carried_out};
use crate::{
    lang::told,
    progress::Progress,
    sample::year::{Activity, Year},
};

const ROWS_PER_MESSAGE: usize = 200;
const REGIONS_PER_MESSAGE: usize = 1_000;

impl Loading<'_> {
    pub(super) async fn pairing(&self, year: &Year) -> Result<()> {
        self.regions()
            .await
            .with_context(|| told!("the register of the sample was not taken", "示例的区划没有载入"))?;
        let organisations = self
            .organisations(year)
            .await
            .with_context(|| told!("the organisations were not taken", "单位没有载入"))?;
        let pairings = self
            .pairings(year, &organisations)
            .await
            .with_context(|| told!("the pairings were not taken", "结对没有载入"))?;
        self.activities(year, &pairings)
            .await
            .with_context(|| told!("the joint activities were not taken", "共同活动没有载入"))
    }

    fn options(&self, about: &str) -> BatchOptions {
        BatchOptions { request_id: self.files.id(about), all_or_nothing: false }
    }

    async fn regions(&self) -> Result<()> {
        use import_regions_request::Part;

        let manifest = &self.files.manifest;
        let edition = RegionEdition {
            request_id: self.files.id("regions"),
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
        let progress = Progress::begin(told!("regions", "区划"), None);
        self.call(|| async {
            let answers = self.register.pairing().import_regions(stream::iter(messages.clone())).await?;
            answers.into_inner().try_for_each(|_| async { Ok(()) }).await
        })
        .await?;
        progress.end(&self.files.regions.len().to_string());
        Ok(())
    }

    /// Returns their identifiers in order.
    async fn organisations(&self, year: &Year) -> Result<Vec<String>> {
        let messages: Vec<BatchRegisterOrganisationsRequest> =
            batch(self.options("organisations"), &year.organisations, ROWS_PER_MESSAGE);
        let progress = Progress::begin(told!("organisations", "单位"), None);
        let answer = self
            .call(|| async {
                self.gateway.pairing().batch_register_organisations(stream::iter(messages.clone())).await
            })
            .await?
            .into_inner();
        carried_out(progress, answer)
    }

    /// Returns their identifiers in order.
    async fn pairings(&self, year: &Year, organisations: &[String]) -> Result<Vec<String>> {
        let mut drafts = Vec::with_capacity(year.pairings.len());
        for pairing in &year.pairings {
            drafts.push(PairingDraft {
                kind: pairing.kind.into(),
                supporter_id: at(organisations, pairing.supporter)?,
                recipient_id: at(organisations, pairing.recipient)?,
                agreement_number: pairing.agreement_number.clone(),
                starts_on: Some(pairing.starts_on.into()),
                ..PairingDraft::default()
            });
        }
        let messages: Vec<BatchEstablishPairingsRequest> = batch(self.options("pairings"), &drafts, ROWS_PER_MESSAGE);
        let progress = Progress::begin(told!("pairings", "结对"), None);
        let answer = self
            .call(|| async { self.gateway.pairing().batch_establish_pairings(stream::iter(messages.clone())).await })
            .await?
            .into_inner();
        carried_out(progress, answer)
    }

    async fn activities(&self, year: &Year, pairings: &[String]) -> Result<()> {
        let total = year.activities.len();
        let progress = Progress::begin(told!("joint activities", "共同活动"), u64::try_from(total).ok());
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
            request_id: self.files.id(&format!("activities/{place}")),
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
    let row = place + 1;
    ids.get(place).cloned().with_context(|| {
        told!("the service answered without an identifier for row {row}", "服务的答复里没有第 {row} 行的标识")
    })
}
