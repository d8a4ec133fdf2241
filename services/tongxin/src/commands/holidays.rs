//! `tongxin holidays`: public holidays, which are not working days.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use tongxin_proto::monitoring::v1::SetHolidaysRequest;
use uuid::Uuid;

use crate::{client::Target, lang::told, rule_files};

/// States public holidays.
#[derive(Debug, Subcommand)]
pub enum What {
    Set(Set),
}

/// States the holidays of the years in a YAML file, in place of those stated before.
///
/// Weekdays from the first to the last day of a holiday are free; `worked` are weekend days that are worked in
/// exchange. Deadlines that were set stay as they are. Needs a token of the role hq or operator for
/// the whole province.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin holidays set deploy/rules/holidays-2021-2026.yaml

A holiday looks like this:
  holidays:
    - { name: 国庆节, first: 2026-10-01, last: 2026-10-07, worked: [2026-09-20, 2026-10-10] }")]
pub struct Set {
    /// The holidays
    file: PathBuf,

    /// The province, 12-digit code; without it the one of the token's region
    #[arg(long, value_name = "CODE")]
    province: Option<String>,

    #[command(flatten)]
    target: Target,
}

pub async fn run(what: What) -> Result<()> {
    let What::Set(args) = what;
    let by_year = rule_files::holidays(&args.file).with_context(|| args.file.display().to_string())?;
    let gateway = args.target.connect().await?;
    for (year, holidays) in by_year {
        // A repetition changes nothing.
        let request = SetHolidaysRequest {
            request_id: Uuid::new_v4().to_string(),
            year,
            holidays,
            region_code: args.province.clone().unwrap_or_default(),
        };
        let answer = gateway.call(async || gateway.rules().set_holidays(request.clone()).await).await;
        let days = answer.with_context(|| told!("{} of {year}", "{}，{year} 年", args.file.display()))?.days;
        let line = told!(
            "{year}: {days} days differ from the weekly pattern",
            "{year} 年：有 {days} 天与平常的周历不同（放假或调休上班）"
        );
        say!("{line}")?;
    }
    Ok(())
}
