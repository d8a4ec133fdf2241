//! `tongxin funnel`: outcomes of signals.

use anyhow::Result;
use chrono::{Datelike as _, NaiveDate};
use tongxin_platform::{clock::Clock, region::RegionCode};
use tongxin_proto::{
    monitoring::v1::{Department, FunnelRow, GetFunnelRequest, SignalKind},
    words::Word as _,
};

use super::{day, region};
use crate::{
    client::Target,
    lang::{lang, told},
    table,
};

/// Shows what became of the signals that were reported within a period.
///
/// A signal counts in each line whose reports it rests on, and once in the last one. Precision is the share of signals
/// that led to an identified household.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin funnel 441800000000                                        of this year
  tongxin funnel 441823000000 --from 2025-01-01 --until 2025-12-31")]
pub struct Args {
    /// Whose signals, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    /// First day of the period; the first of the year of the last one if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<NaiveDate>,

    /// Last day; today if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<NaiveDate>,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<()> {
    let until = args.until.unwrap_or_else(|| Clock::system().today());
    let from = args.from.or_else(|| until.with_ordinal(1)).unwrap_or(until);
    let gateway = args.target.connect().await?;
    let request =
        GetFunnelRequest { region_code: args.region.to_string(), from: Some(from.into()), until: Some(until.into()) };
    let funnel = gateway.call(async || gateway.signals().get_funnel(request.clone()).await).await?;
    let header = lang().of(
        ["", "", "warnings", "signals", "verified", "refuted", "identified", "removed", "relapsed", "precision"],
        ["", "", "预警", "线索", "属实", "不属实", "已识别", "已消除", "风险再现", "准确率"],
    );
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(funnel.rows.iter().map(|row| line(name(row), row)));
    rows.extend(funnel.total.iter().map(|row| line([told!("all", "合计"), String::new()], row)));
    say!("{}", table::render(&rows, &[2, 3, 4, 5, 6, 7, 8, 9]))?;
    Ok(())
}

/// How signals came in, and the department or rule.
fn name(row: &FunnelRow) -> [String; 2] {
    let source = match row.kind() {
        SignalKind::DepartmentWarning => Department::try_from(row.department).unwrap_or_default().word().to_owned(),
        SignalKind::Screening => told!("rule {} of {}", "{1} 的规则 {0}", row.rule_number, row.rule_set_id),
        SignalKind::Unspecified | SignalKind::SelfReport | SignalKind::Sweep => String::new(),
    };
    [row.kind().word().to_owned(), source]
}

fn line(name: [String; 2], row: &FunnelRow) -> Vec<String> {
    let FunnelRow { warnings, signals, verified, refuted, identified, removed, relapsed, .. } = row;
    let counts = [warnings, signals, verified, refuted, identified, removed, relapsed].map(ToString::to_string);
    let precision = format!("{}.{:02} %", row.precision / 100, row.precision % 100);
    name.into_iter().chain(counts).chain([precision]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_source_and_its_precision() {
        let row = FunnelRow {
            kind: SignalKind::DepartmentWarning.into(),
            department: Department::CivilAffairs.into(),
            signals: 812,
            identified: 6,
            precision: 73,
            ..FunnelRow::default()
        };
        let line = line(name(&row), &row);
        assert_eq!(line, ["department_warning", "civil_affairs", "0", "812", "0", "0", "6", "0", "0", "0.73 %"]);
    }
}
