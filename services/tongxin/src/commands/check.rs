//! `tongxin check`: looks for defects in the data of households.

use std::collections::BTreeMap;

use anyhow::Result;
use tongxin_platform::region::RegionCode;
use tongxin_proto::monitoring::v1::{CheckHouseholdsRequest, DefectCount, ListDefectsRequest, ListDefectsResponse};

use super::region;
use crate::{
    client::Target,
    lang::{lang, told},
    quality_rules::{self, Texts},
    table,
};

const PAGE: i32 = 1_000;

/// Checks every household of a region by the data-quality rules, and counts what they find.
///
/// The counts are those of `ListDefects` from then on. Needs a token of the role town, county or hq.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin check 441800000000                 by rule
  tongxin check 441823000000 --by-village    by village and rule, to be piped on")]
pub struct Args {
    /// Whose households to check, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    /// A line for each village and rule
    #[arg(long)]
    by_village: bool,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<()> {
    let gateway = args.target.connect().await?;
    let region_code = args.region.to_string();
    let request = CheckHouseholdsRequest { region_code: region_code.clone() };
    let answers = gateway.call(async || gateway.villages().check_households(request.clone()).await).await?;
    let households = gateway.follow(answers, |answer| (answer.households, answer.done)).await?.households;
    let rules = quality_rules::texts(gateway.call(async || quality_rules::ask(&gateway).await).await?);
    let list = async |page_token| {
        let region_code = region_code.clone();
        let request = ListDefectsRequest { region_code, page_size: PAGE, page_token, ..ListDefectsRequest::default() };
        gateway.villages().list_defects(request).await
    };
    let (mut counts, mut total) = (Vec::new(), 0);
    let add = |page: ListDefectsResponse| {
        counts.extend(page.counts);
        total += page.total;
        Ok(page.next_page_token)
    };
    gateway.pages(list, add).await?;
    let lines = if args.by_village { counts } else { by_rule(&counts) };
    say!("{}", table::render(&rows(&lines, &rules, args.by_village), &[1, 2]))?;
    say!("{}", told!("{total} defects in {households} households", "{households} 户中发现 {total} 个问题"))?;
    Ok(())
}

/// Sums the counts of all villages.
fn by_rule(counts: &[DefectCount]) -> Vec<DefectCount> {
    let mut sums: BTreeMap<i32, i64> = BTreeMap::new();
    for count in counts {
        *sums.entry(count.rule_number).or_default() += count.households;
    }
    let sum = |(rule_number, households)| DefectCount { region_code: String::new(), rule_number, households };
    sums.into_iter().map(sum).collect()
}

fn rows(counts: &[DefectCount], rules: &Texts, by_village: bool) -> Vec<Vec<String>> {
    let [village, rule, households] = lang().of(["village", "rule", "households"], ["村", "规则", "户数"]);
    let header = [if by_village { village } else { "" }, rule, households, ""].map(str::to_owned).to_vec();
    let row = |count: &DefectCount| {
        let DefectCount { region_code, rule_number, households } = count;
        vec![
            region_code.clone(),
            rule_number.to_string(),
            households.to_string(),
            rules.get(rule_number).cloned().unwrap_or_default(),
        ]
    };
    std::iter::once(header).chain(counts.iter().map(row)).collect()
}
