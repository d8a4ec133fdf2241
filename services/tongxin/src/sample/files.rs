//! The files of deploy/sample/qingyuan-2025 and deploy/rules, compiled into the program.

use std::{
    collections::{BTreeMap, HashMap},
    io::Cursor,
    ops::ControlFlow,
};

use anyhow::{Context as _, Result, bail};
use chrono::NaiveDate;
use clap::ValueEnum;
use serde::Deserialize;
use tongxin_files::{Choice, Form, RowRead};
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    monitoring::v1::{Holiday, RuleSetDraft},
    pairing::v1::RegionRow,
};
use uuid::Uuid;

use crate::rule_files;

const MANIFEST: &str = include_str!("../../../../deploy/sample/qingyuan-2025/manifest.json");
const REGISTER: &str = include_str!("../../../../deploy/sample/qingyuan-2025/regions.csv");
const SUPPORTERS: &str = include_str!("../../../../deploy/sample/qingyuan-2025/supporters.csv");
const FIGURES: &str = include_str!("../../../../deploy/sample/qingyuan-2025/figures.csv");
const RULES: &str = include_str!("../../../../deploy/rules/guangdong-2021-2025.yaml");
const LATER_RULES: &str = include_str!("../../../../deploy/rules/guangdong-2026.yaml");
const HOLIDAYS: &str = include_str!("../../../../deploy/rules/holidays-2021-2026.yaml");

/// A sample that the program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SampleName {
    /// The assistance of Guangzhou for Qingyuan in 2025.
    #[value(name = "qingyuan-2025")]
    Qingyuan2025,
}

/// Facts of the sample that neither the register nor the published figures contain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// All request identifiers are derived from it.
    pub name: String,
    /// For all random decisions.
    pub seed: u64,
    #[serde(deserialize_with = "tongxin_platform::day::deserialize")]
    pub register_effective_from: NaiveDate,
    pub register_source: String,
    /// The day of the published figures.
    #[serde(deserialize_with = "tongxin_platform::day::deserialize")]
    pub as_of: NaiveDate,
    /// The region of the published figures.
    pub region: RegionCode,
    /// The town whose villages are each paired with an enterprise, too.
    pub dual_region: RegionCode,
    /// The supporters' home region.
    pub supporter_region: RegionCode,
    /// Invented: no figure was published.
    pub joint_activities: usize,
    /// Invented: no figure was published.
    pub households: usize,
    /// Cases that ended with removal. Invented: no figure was published.
    pub cases: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Published {
    pub indicator: String,
    pub region_code: RegionCode,
    /// A day or a year.
    pub period: String,
    pub value: i64,
    pub exactness: String,
}

pub struct Files {
    pub manifest: Manifest,
    /// Including the supporters' region.
    pub regions: Vec<RegionRow>,
    pub published: Vec<Published>,
    /// The rules for monitoring households in those years.
    pub rules: RuleSetDraft,
    /// The rules after those.
    pub later_rules: RuleSetDraft,
    /// By year.
    pub holidays: BTreeMap<i32, Vec<Holiday>>,
}

impl Files {
    pub fn of(sample: SampleName) -> Result<Self> {
        match sample {
            SampleName::Qingyuan2025 => Self::read(),
        }
    }

    fn read() -> Result<Self> {
        let mut regions = Vec::new();
        for register in [REGISTER, SUPPORTERS] {
            regions.extend(register_of(register)?);
        }
        let published = csv::Reader::from_reader(FIGURES.as_bytes()).into_deserialize();
        Ok(Self {
            manifest: serde_json::from_str(MANIFEST).context("the sample's manifest cannot be read")?,
            regions,
            published: published.collect::<Result<_, _>>().context("the published figures cannot be read")?,
            rules: rule_files::parse_rule_set(RULES).context("the sample's rules cannot be read")?,
            later_rules: rule_files::parse_rule_set(LATER_RULES).context("the sample's later rules cannot be read")?,
            holidays: rule_files::parse_holidays(HOLIDAYS).context("the sample's holidays cannot be read")?,
        })
    }

    /// A stable identifier of something, derived from its description.
    pub fn id(&self, about: &str) -> String {
        let name = format!("tongxin/sample/{}/{about}", self.manifest.name);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    pub fn count(&self, indicator: &str) -> Result<usize> {
        let Some(found) = self.published.iter().find(|figure| figure.indicator == indicator) else {
            bail!("no figure {indicator} was published");
        };
        Ok(usize::try_from(found.value)?)
    }

    /// Names of regions by code.
    pub fn names(&self) -> HashMap<&str, &str> {
        self.regions.iter().map(|region| (region.code.as_str(), region.name.as_str())).collect()
    }
}

fn register_of(file: &str) -> Result<Vec<RegionRow>> {
    let (mut rows, mut wrong) = (Vec::new(), None);
    let read =
        tongxin_files::read(Cursor::new(file), &Form::of::<RegionRow>(), &Choice::default(), &mut |read| match read {
            RowRead::Row(row) => {
                rows.push(row.message);
                ControlFlow::Continue(())
            }
            RowRead::Fault { fault, .. } => {
                wrong = Some(fault);
                ControlFlow::Break(())
            }
        });
    let of_file = read.err().and_then(|faults| faults.into_iter().next());
    match wrong.or(of_file) {
        Some(fault) => Err(fault).context("the sample's register cannot be read"),
        None => Ok(rows),
    }
}
