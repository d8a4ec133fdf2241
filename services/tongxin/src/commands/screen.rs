//! `tongxin screen`: finds households at risk.

use anyhow::{Result, bail};
use tongxin_platform::region::RegionCode;
use tongxin_proto::monitoring::v1::{ScreenHouseholdsRequest, ScreeningCount};
use uuid::Uuid;

use super::region;
use crate::{client::Target, progress::Progress, table};

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
    let gateway = args.target.connect()?;
    let request =
        ScreenHouseholdsRequest { request_id: Uuid::new_v4().to_string(), region_code: args.region.to_string() };
    let explain = |status| gateway.explain(&status);
    let mut answers = gateway.call(async || gateway.rules().screen_households(request.clone()).await).await?;
    let mut progress = Progress::begin("households", None);
    while let Some(answer) = answers.message().await.map_err(explain)? {
        let count = answer.count.unwrap_or_default();
        progress.reach(count.households.unsigned_abs());
        if answer.done {
            progress.end(&count.households.to_string());
            return show(count);
        }
    }
    bail!("the service ended the screening without a result")
}

fn show(count: ScreeningCount) -> Result<()> {
    let mut hits: Vec<_> = count.hits.into_iter().collect();
    hits.sort_unstable();
    let rows = hits.into_iter().map(|(rule, households)| vec![rule.to_string(), households.to_string()]);
    let header = vec!["rule".to_owned(), "households".to_owned()];
    say!("{}", table::render(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), &[0, 1]))?;
    say!("{} of {} households flagged, {} new signals", count.flagged, count.households, count.signals)?;
    if count.faults > 0 {
        say!("{} times a rule had no value (a division by zero, or a number too large)", count.faults)?;
    }
    Ok(())
}
