//! Villages: income and data quality.

use tongxin_platform::{
    page::{Page, PageKey},
    region::RegionCode,
};
use tongxin_proto::monitoring::v1;

use super::{named, optional_region, region};
use crate::{
    commands::RecordVillageIncome,
    domain::{
        income::{Amounts, VillageIncome},
        quality::{Rule, Severity},
    },
    error::Error,
    store::defects::{CountPlace, Defect, DefectCount, Filter},
};

pub(in crate::grpc) fn record_village_income(
    request: &v1::RecordVillageIncomeRequest,
) -> Result<RecordVillageIncome, Error> {
    let stated: Vec<_> = request
        .amounts
        .iter()
        .map(|amount| Ok((named("amounts.kind", amount.kind)?, amount.amount_fen)))
        .collect::<Result<_, Error>>()?;
    Ok(RecordVillageIncome {
        region: region("region_code", &request.region_code)?,
        year: request.year,
        amounts: Amounts::of(&stated)?,
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn list_defects(request: &v1::ListDefectsRequest) -> Result<(Filter, Page<CountPlace>), Error> {
    let filter = Filter {
        within: optional_region("region_code", &request.region_code)?,
        rule_number: (request.rule_number != 0).then(|| rule_number(request.rule_number)),
    };
    Ok((filter, Page::parse(request.page_size, &request.page_token)?))
}

/// A number without a rule finds nothing.
fn rule_number(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

pub(in crate::grpc) fn list_defective_households(
    request: &v1::ListDefectiveHouseholdsRequest,
) -> Result<(Option<RegionCode>, i16, Page<PageKey>), Error> {
    let region = optional_region("region_code", &request.region_code)?;
    Ok((region, rule_number(request.rule_number), Page::parse(request.page_size, &request.page_token)?))
}

impl From<VillageIncome> for v1::VillageIncome {
    fn from(income: VillageIncome) -> Self {
        let amounts = income.amounts.by_kind().into_iter().filter(|(_, amount_fen)| *amount_fen > 0);
        let amount = |(kind, amount_fen)| v1::IncomeAmount { kind: v1::IncomeKind::from(kind).into(), amount_fen };
        Self {
            region_code: income.region.to_string(),
            year: income.year,
            amounts: amounts.map(amount).collect(),
            total_fen: income.amounts.total(),
            tiers: income.tiers,
            version: income.version,
        }
    }
}

impl From<&Rule> for v1::QualityRule {
    fn from(rule: &Rule) -> Self {
        let severity = match rule.severity {
            Severity::Warn => v1::Severity::Warn,
            Severity::Refuse => v1::Severity::Refuse,
        };
        Self {
            number: rule.number.into(),
            name_zh: rule.name_zh.to_owned(),
            name_en: rule.name_en.to_owned(),
            severity: severity.into(),
        }
    }
}

impl From<DefectCount> for v1::DefectCount {
    fn from(count: DefectCount) -> Self {
        Self {
            region_code: count.region.to_string(),
            rule_number: count.rule_number.into(),
            households: count.households,
        }
    }
}

impl From<Defect> for v1::Defect {
    fn from(defect: Defect) -> Self {
        Self {
            household_id: defect.household.to_string(),
            region_code: defect.region.to_string(),
            rule_number: defect.rule_number.into(),
            found_on: Some(defect.found_on.into()),
        }
    }
}
