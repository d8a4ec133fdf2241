//! `tongxin rules`: rule sets of monitoring.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use prost::Message as _;
use tongxin_platform::region::RegionCode;
use tongxin_proto::monitoring::v1::{
    RuleSetDraft, SimulateRuleSetRequest, SimulateRuleSetResponse, StoreRuleSetRequest, Verdict,
};
use uuid::Uuid;

use super::region;
use crate::{
    client::Target,
    lang::{lang, told},
    rule_files, table,
};

/// Stores rule sets of monitoring, or tries them.
#[derive(Debug, Subcommand)]
pub enum What {
    Store(Store),
    Simulate(Simulate),
}

const WRITING: &str = "
A rule looks like this (amounts in fen; fields and functions: proto/tongxin/monitoring/v1/rule_service.proto):
  - number: 5
    name: 住房不安全
    cause: housing
    expression: \"!monitored && housing_grade in ['C', 'D']\"
    message: 住房安全等级 {housing_grade}";

/// Stores a rule set from a YAML file, such as deploy/rules/guangdong-2026.yaml.
///
/// All of it is checked before anything is sent. Storing the same file again changes nothing. Needs a token of the
/// role hq or operator.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:\n  tongxin rules store deploy/rules/guangdong-2026.yaml\n{WRITING}"))]
pub struct Store {
    /// The rule set
    file: PathBuf,

    #[command(flatten)]
    target: Target,
}

/// Says whom a rule set would flag, and stores nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin rules simulate new-line.yaml --region 441800000000
  tongxin rules simulate new-line.yaml --region 441823000000 --examples 20\n{WRITING}"))]
pub struct Simulate {
    /// The rule set
    file: PathBuf,

    /// Whose households to look at, 12-digit code
    #[arg(long, value_name = "CODE", value_parser = region)]
    region: RegionCode,

    /// Households to show as examples
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(i32).range(0..=1000))]
    examples: i32,

    #[command(flatten)]
    target: Target,
}

pub async fn run(what: What) -> Result<()> {
    match what {
        What::Store(args) => store(args).await,
        What::Simulate(args) => simulate(args).await,
    }
}

fn read(file: &Path) -> Result<RuleSetDraft> {
    rule_files::rule_set(file).with_context(|| file.display().to_string())
}

async fn store(args: Store) -> Result<()> {
    let draft = read(&args.file)?;
    let gateway = args.target.connect().await?;
    let (rules, lines, name) = (draft.rules.len(), draft.lines.len(), draft.name.clone());
    // The same file gets the same idempotency key, so that a repetition is safe.
    let request_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &draft.encode_to_vec()).to_string();
    let request = StoreRuleSetRequest { request_id, rule_set: Some(draft) };
    let answer = gateway.call(async || gateway.rules().store_rule_set(request.clone()).await).await;
    let stored = answer.with_context(|| args.file.display().to_string())?.rule_set.unwrap_or_default();
    let line = told!(
        "{name}: stored as {} with {rules} screening rules and the lines of {lines} years",
        "{name}：已保存，标识 {}，有 {rules} 条筛查规则、{lines} 个年度的监测线",
        stored.rule_set_id
    );
    say!("{line}")?;
    Ok(())
}

async fn simulate(args: Simulate) -> Result<()> {
    let draft = read(&args.file)?;
    let gateway = args.target.connect().await?;
    let region_code = args.region.to_string();
    let request = SimulateRuleSetRequest { rule_set: Some(draft.clone()), region_code, examples: args.examples };
    let answers = gateway.call(async || gateway.rules().simulate_rule_set(request.clone()).await).await?;
    let households = |answer: &SimulateRuleSetResponse| answer.count.as_ref().map_or(0, |count| count.households);
    let result = gateway.follow(answers, |answer| (households(answer), answer.done)).await?;
    show(&draft, result)
}

fn show(draft: &RuleSetDraft, result: SimulateRuleSetResponse) -> Result<()> {
    let count = result.count.unwrap_or_default();
    let row = |cells: [String; 3]| cells.to_vec();
    let hits = |number: i32| count.hits.get(&number).copied().unwrap_or(0).to_string();
    let rules = draft.rules.iter().map(|rule| row([rule.number.to_string(), rule.name.clone(), hits(rule.number)]));
    let header = row(lang().of(["rule", "", "households"], ["规则", "", "户数"]).map(str::to_owned));
    say!("{}", table::render(&[header].into_iter().chain(rules).collect::<Vec<_>>(), &[0, 2]))?;
    let line = told!(
        "{} of {} households flagged: {} newly, {} no longer",
        "试算 {1} 户，筛出 {0} 户：新筛出 {2} 户，不再筛出 {3} 户",
        count.flagged,
        count.households,
        result.newly_flagged,
        result.no_longer_flagged
    );
    say!("{line}")?;
    if count.faults > 0 {
        let line = told!(
            "{} times a rule had no value (a division by zero, or a number too large)",
            "有 {} 次规则算不出结果（除数为零，或数字太大）",
            count.faults
        );
        say!("{line}")?;
    }
    for Verdict { household_id, rule_number, message, .. } in result.examples {
        let line =
            told!("  {household_id}  rule {rule_number}: {message}", "  {household_id}  规则 {rule_number}：{message}");
        say!("{line}")?;
    }
    Ok(())
}
