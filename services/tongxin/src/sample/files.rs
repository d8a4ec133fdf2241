//! What lies in deploy/sample/qingyuan-2025, and the rules of deploy/rules, built into the program.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, bail};
use chrono::NaiveDate;
use clap::ValueEnum;
use serde::Deserialize;
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    monitoring::v1::{Holiday, RuleSetDraft},
    pairing::v1::RegionRow,
};
use uuid::Uuid;

use crate::{register_csv::RegisterRows, rule_files};

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

/// What is stated of the sample that neither the register nor the published figures say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name, from which all request identifiers follow.
    pub name: String,
    /// From which everything that chance decides follows.
    pub seed: u64,
    /// First day of the register.
    pub register_effective_from: NaiveDate,
    /// Where the register comes from.
    pub register_source: String,
    /// The day of the published figures.
    pub as_of: NaiveDate,
    /// The region of the published figures.
    pub region: RegionCode,
    /// The town each of whose villages is paired with an enterprise as well.
    pub dual_region: RegionCode,
    /// Where supporters are at home.
    pub supporter_region: RegionCode,
    /// How many joint activities there are; no figure was published.
    pub joint_activities: usize,
    /// How many households there are; no figure was published.
    pub households: usize,
    /// How many cases ended with removal; no figure was published.
    pub cases: usize,
}

/// A published figure.
#[derive(Debug, Clone, Deserialize)]
pub struct Published {
    /// Its indicator.
    pub indicator: String,
    /// Its region.
    pub region_code: RegionCode,
    /// The day or the year.
    pub period: String,
    /// Its value.
    pub value: i64,
    /// How exact it is.
    pub exactness: String,
}

/// All files of the sample.
pub struct Files {
    /// What neither of the others says.
    pub manifest: Manifest,
    /// The register, that of the supporters' region included.
    pub regions: Vec<RegionRow>,
    /// The published figures.
    pub published: Vec<Published>,
    /// The rules by which households were monitored in those years.
    pub rules: RuleSetDraft,
    /// Those that came after them.
    pub later_rules: RuleSetDraft,
    /// Holidays by their years.
    pub holidays: BTreeMap<i32, Vec<Holiday>>,
}

impl Files {
    /// Reads the files of a sample.
    pub fn of(sample: SampleName) -> Result<Self> {
        match sample {
            SampleName::Qingyuan2025 => Self::read(),
        }
    }

    fn read() -> Result<Self> {
        let mut regions = Vec::new();
        for register in [REGISTER, SUPPORTERS] {
            for row in RegisterRows::open(register.as_bytes())? {
                regions.push(row?);
            }
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

    /// The identifier of something by what it is, always the same.
    pub fn id(&self, about: &str) -> String {
        let name = format!("tongxin/sample/{}/{about}", self.manifest.name);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    /// A published count.
    pub fn count(&self, indicator: &str) -> Result<usize> {
        let Some(found) = self.published.iter().find(|figure| figure.indicator == indicator) else {
            bail!("no figure {indicator} was published");
        };
        Ok(usize::try_from(found.value)?)
    }

    /// Names of regions by their codes.
    pub fn names(&self) -> HashMap<&str, &str> {
        self.regions.iter().map(|region| (region.code.as_str(), region.name.as_str())).collect()
    }
}
