//! Conversions to responses.

use std::collections::HashMap;

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use tongxin_proto::{pairing::v1, register};

use crate::{
    domain::{
        activity::Activity, coverage::CoverageRule, credit_code::CreditCode, organisation::Organisation,
        pairing::Pairing, period::Period, register::Region,
    },
    store::{
        regions::AssistedVillage,
        register_import::{Merged, Stage},
    },
};

/// Maximum number of uncovered villages in a response.
const UNCOVERED_NAMED: usize = 1_000;

pub(in crate::grpc) fn all<Ours, Theirs: From<Ours>>(values: Vec<Ours>) -> Vec<Theirs> {
    values.into_iter().map(Theirs::from).collect()
}

impl From<Region> for register::v1::Region {
    fn from(region: Region) -> Self {
        Self {
            assisted_from: region.assisted.map(|assisted| assisted.starts_on().into()),
            assisted_until: region.assisted.and_then(Period::ends_on).map(Into::into),
            ..region.registered.into()
        }
    }
}

impl From<Organisation> for v1::Organisation {
    fn from(organisation: Organisation) -> Self {
        let draft = organisation.draft;
        let check = match draft.credit_code.as_ref().map(CreditCode::is_valid) {
            None => v1::CreditCodeCheck::None,
            Some(true) => v1::CreditCodeCheck::Passed,
            Some(false) => v1::CreditCodeCheck::Failed,
        };
        let (closed_on, close_reason) = organisation.closed.map(|closed| (closed.on.into(), closed.reason)).unzip();
        Self {
            organisation_id: organisation.id.to_string(),
            name: draft.name,
            kind: v1::OrganisationKind::from(draft.kind).into(),
            side: v1::OrganisationSide::from(draft.side).into(),
            host_kind: draft.host_kind.map(v1::OrganisationKind::from).unwrap_or_default().into(),
            region_code: draft.region.to_string(),
            credit_code: draft.credit_code.map(|code| code.as_str().to_owned()).unwrap_or_default(),
            credit_code_check: check.into(),
            closed_on,
            close_reason: close_reason.unwrap_or_default(),
            version: organisation.version,
        }
    }
}

impl From<Pairing> for v1::Pairing {
    fn from(pairing: Pairing) -> Self {
        let draft = pairing.draft;
        Self {
            pairing_id: pairing.id.to_string(),
            kind: v1::PairingKind::from(draft.kind).into(),
            supporter_id: draft.supporter.to_string(),
            supporter_name: pairing.supporter_name,
            recipient_id: draft.recipient.to_string(),
            recipient_name: pairing.recipient_name,
            region_code: pairing.region.to_string(),
            agreement_number: draft.agreement_number,
            starts_on: Some(draft.period.starts_on().into()),
            ends_on: draft.period.ends_on().map(Into::into),
            end_reason: pairing.end_reason,
            void_reason: pairing.void_reason,
            version: pairing.version,
        }
    }
}

impl From<Activity> for v1::JointActivity {
    fn from(activity: Activity) -> Self {
        let draft = activity.draft;
        Self {
            activity_id: activity.id.to_string(),
            pairing_id: draft.pairing.to_string(),
            kind: v1::ActivityKind::from(draft.kind).into(),
            held_on: Some(draft.held_on.into()),
            participants: draft.participants,
            remark: draft.remark,
            region_code: activity.region.to_string(),
            void_reason: activity.void_reason,
        }
    }
}

impl From<Merged> for v1::ImportRegionsResponse {
    fn from(merged: Merged) -> Self {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let result = v1::ImportRegionsResult {
            rows: merged.rows,
            added: whole(merged.added),
            changed: whole(merged.changed),
            withdrawn: whole(merged.withdrawn),
            assistance_changed: whole(merged.assistance_changed),
        };
        Self { received: merged.rows, result: Some(result), ..Self::default() }
    }
}

pub(in crate::grpc) fn import_progress(received: i64, stage: Stage) -> v1::ImportRegionsResponse {
    let (stage, published) = match stage {
        Stage::Checking => (v1::ImportStage::Checking, 0),
        Stage::Merging => (v1::ImportStage::Merging, 0),
        Stage::Publishing(regions) => (v1::ImportStage::Publishing, i64::try_from(regions).unwrap_or(i64::MAX)),
        Stage::Following => (v1::ImportStage::Following, 0),
    };
    v1::ImportRegionsResponse { received, stage: stage.into(), published, result: None }
}

pub(in crate::grpc) fn coverage(
    request: v1::GetCoverageRequest,
    as_of: NaiveDate,
    rule: &CoverageRule,
    villages: Vec<AssistedVillage>,
    pairings: &[Pairing],
) -> v1::Coverage {
    let mut of_village: HashMap<RegionCode, Vec<&Pairing>> = HashMap::new();
    for pairing in pairings {
        of_village.entry(pairing.region).or_default().push(pairing);
    }
    let is_covered = |village: &AssistedVillage| {
        let pairings = of_village.get(&village.region_code).into_iter().flatten().copied();
        rule.is_met(&pairings, as_of)
    };
    let count = |villages: usize| i32::try_from(villages).unwrap_or(i32::MAX);
    let total = villages.len();
    let uncovered: Vec<_> = villages.into_iter().filter(|village| !is_covered(village)).collect();
    let covered = total - uncovered.len();
    let name = |village: AssistedVillage| v1::UncoveredVillage {
        region_code: village.region_code.to_string(),
        name: village.name,
    };
    v1::Coverage {
        region_code: request.region_code,
        rule: request.rule,
        as_of: Some(as_of.into()),
        covered: count(covered),
        total: count(total),
        uncovered: uncovered.into_iter().take(UNCOVERED_NAMED).map(name).collect(),
    }
}
