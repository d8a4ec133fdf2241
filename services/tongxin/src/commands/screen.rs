//! `tongxin screen`: finds households at risk.

use anyhow::Result;
use tongxin_platform::region::RegionCode;
use tongxin_proto::monitoring::v1::{ScreenHouseholdsRequest, ScreenHouseholdsResponse, ScreeningCount};
use uuid::Uuid;

use super::region;
use crate::{
    client::Target,
    lang::{lang, told},
    table,
};

/// Screens every household of a region by the rules that are in force today, and raises signals.
///
/// A household that was flagged for a cause before is not flagged for it again, so a second screening of the same day
/// finds nothing new. Needs a token of the role town, county or hq.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin screen 441800000000
  tongxin screen 441823107000 --data-dir .tongxin")]
pub struct Args {
    /// Whose households to look at, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<()> {
    let gateway = args.target.connect().await?;
    let request =
        ScreenHouseholdsRequest { request_id: Uuid::new_v4().to_string(), region_code: args.region.to_string() };
    let answers = gateway.call(async || gateway.rules().screen_households(request.clone()).await).await?;
    let households = |answer: &ScreenHouseholdsResponse| answer.count.as_ref().map_or(0, |count| count.households);
    let answer = gateway.follow(answers, |answer| (households(answer), answer.done)).await?;
    show(answer.count.unwrap_or_default())
}

fn show(count: ScreeningCount) -> Result<()> {
    let mut hits: Vec<_> = count.hits.into_iter().collect();
    hits.sort_unstable();
    let rows = hits.into_iter().map(|(rule, households)| vec![rule.to_string(), households.to_string()]);
    let header = lang().of(["rule", "households"], ["规则", "户数"]).map(str::to_owned).to_vec();
    say!("{}", table::render(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), &[0, 1]))?;
    let line = told!(
        "{} of {} households flagged, {} new signals",
        "筛查 {1} 户，筛出 {0} 户，新线索 {2} 条",
        count.flagged,
        count.households,
        count.signals
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
    Ok(())
}
