//! `tongxin scorecard`: the figures of a region.

use anyhow::Result;
use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;

use super::{day, region};
use crate::{client::Target, figures::Card};

/// Shows the figures of a region on a day.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin scorecard 441800000000 --as-of 2025-12-31
  tongxin scorecard 441823107000 --json | jq '.figures[] | {indicator_id, value}'
  tongxin scorecard 441800000000 --gateway https://gateway.example --token-file token
  tongxin scorecard 441800000000 --gateway https://gateway.internal --ca-file ca.pem --token-file token")]
pub struct Args {
    /// 12-digit code of the region
    #[arg(value_parser = region)]
    region: RegionCode,

    /// The day; today if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    as_of: Option<NaiveDate>,

    /// Also what breaks figures down by category and risk
    #[arg(long)]
    breakdown: bool,

    /// For programs; breakdowns are always there
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<()> {
    let card = Card::of(&args.target.connect().await?, args.region, args.as_of).await?;
    if args.json {
        say!("{:#}", card.json())?;
    } else {
        say!("{}\n\n{}", card.title(), card.table(args.breakdown, |_| String::new()))?;
    }
    Ok(())
}
