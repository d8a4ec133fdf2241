//! `tongxin overdue`: steps of cases that are not done by their due date.

use anyhow::Result;
use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    monitoring::v1::{ListOverdueStepsRequest, ListOverdueStepsResponse, OverdueStep},
    words::Word as _,
};

use super::region;
use crate::{
    client::Target,
    lang::{lang, told},
    table,
};

const PAGE: i32 = 1_000;

/// Lists the steps of cases that are not done by their day, the longest overdue first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin overdue 441800000000
  tongxin overdue 441823107000 > overdue.txt")]
pub struct Args {
    /// Whose cases, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<()> {
    let gateway = args.target.connect().await?;
    let list = async |page_token| {
        let region_code = args.region.to_string();
        let request = ListOverdueStepsRequest { region_code, page_size: PAGE, page_token };
        gateway.cases().list_overdue_steps(request).await
    };
    let header =
        lang().of(["days", "due on", "step", "region", "case"], ["逾期天数", "到期日", "环节", "区划", "个案"]);
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let add = |page: ListOverdueStepsResponse| {
        rows.extend(page.steps.iter().map(row));
        Ok(page.next_page_token)
    };
    gateway.pages(list, add).await?;
    say!("{}", table::render(&rows, &[0]))?;
    say!("{}", told!("{} steps overdue", "共 {} 个环节逾期", rows.len() - 1))?;
    Ok(())
}

fn row(step: &OverdueStep) -> Vec<String> {
    let due_on = step.due_on.and_then(|date| NaiveDate::try_from(date).ok());
    vec![
        step.days_overdue.to_string(),
        due_on.map(|day| day.to_string()).unwrap_or_default(),
        step.step().word().to_owned(),
        step.region_code.clone(),
        step.case_id.clone(),
    ]
}
