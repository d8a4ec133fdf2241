//! `tongxin import warnings`: what a department knows of persons at risk.

use anyhow::{Context as _, Result, bail};
use futures::stream;
use tokio::sync::mpsc;
use tongxin_proto::{
    Parts as _,
    batch::v1::{ImportStatus, RowError},
    monitoring::v1::{Department, SubmitWarningsRequest, SubmitWarningsResponse, Warning, WarningOptions},
};
use tonic::Status;
use uuid::Uuid;

use super::{args::Import, report::Report, source::Source};
use crate::{client::Gateway, commands::department, lang::told, patience::Patience, progress::Progress};

/// As many as an answer names, if all of them are malformed.
const PER_MESSAGE: usize = 1_000;

/// Submits warnings of the department that the token speaks for: CSV or XLSX, a line for each.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Each warning is
/// known by its reference: one that was sent before is received and not counted, so that a file may be sent again. Whether
/// a person is known is not told.
#[derive(Debug, clap::Args)]
#[command(mut_arg("id", |argument| argument.hide(true)))]
#[command(after_help = "Examples:
  tongxin template warnings --out warnings.xlsx
  tongxin import warnings warnings.xlsx --department medical_insurance --token-file department.token
  tongxin import warnings warnings.csv --department civil_affairs --dry-run        reads the file, sends nothing

A file with one warning:
  id_number,cause,occurred_on,reference,region_code
  11010519491231002X,illness,2026-10-31,YB-2026/001234,441823107200")]
pub struct Warnings {
    /// The department, which the token has to name
    #[arg(long, value_name = "NAME", value_parser = department)]
    department: Department,

    #[command(flatten)]
    import: Import,
}

pub async fn run(args: Warnings) -> Result<()> {
    let Warnings { department, import: args } = args;
    if args.id.is_some() {
        bail!(told!("warnings have references, and no --import-id", "预警以编号识别，不用 --import-id"));
    }
    let file = args.file.display().to_string();
    let gateway = args.target.connect_soon().await?;
    let source = Source::<Warning>::new(&args.file, args.reading.choice());
    let content = super::outcome::checked(&source, &args).await?;
    let progress = Progress::begin(told!("warnings", "预警"), u64::try_from(content.lines.rows()).ok());
    let mut report = Report::new(content, !args.json);
    let mut status = ImportStatus::default();
    if args.dry_run {
        status.rows_taken = i64::try_from(report.rows())?;
        status.accepted = status.rows_taken;
    } else {
        let sent = submit(&gateway, &source, department, (&mut report, &mut status, &progress));
        sent.await.with_context(|| file.clone())?;
    }
    progress.end(&told!("done", "完成"));
    if args.json {
        say!("{:#}", report.json(&status, args.dry_run))?;
    } else {
        let ImportStatus { rows_taken, accepted, refused, .. } = status;
        let line = if args.dry_run {
            told!("{rows_taken} warnings would be sent", "将提交 {rows_taken} 条预警")
        } else {
            told!(
                "{rows_taken} warnings: {accepted} received, {refused} malformed",
                "{rows_taken} 条预警：已接收 {accepted} 条，退回 {refused} 条"
            )
        };
        say!("{line}")?;
    }
    super::outcome::refused(&source, &args, &report, &status).await
}

/// Submits all rows, some messages at a time.
async fn submit(
    gateway: &Gateway,
    source: &Source<Warning>,
    department: Department,
    (report, status, progress): (&mut Report, &mut ImportStatus, &Progress),
) -> Result<()> {
    let (messages, mut received) = mpsc::channel(4);
    let source = source.clone();
    let rows = async move { source.send((0..usize::MAX, PER_MESSAGE), SubmitWarningsRequest::of_rows, messages).await };
    let reader = tokio::spawn(rows);
    while let Some(rows) = received.recv().await {
        let options = WarningOptions { request_id: Uuid::new_v4().to_string(), department: department.into() };
        let messages = [SubmitWarningsRequest::of_options(options), rows];
        let answer = call(gateway, &messages, progress).await?;
        let before = status.rows_taken;
        status.rows_taken += answer.received + answer.malformed;
        status.accepted += answer.received;
        status.refused += answer.malformed;
        let errors = answer.errors.into_iter().map(|error| RowError { row: error.row + before, ..error });
        report.add(&ImportStatus { errors: errors.collect(), ..ImportStatus::default() }, progress);
        progress.reach(status.rows_taken.unsigned_abs());
    }
    reader.await?
}

/// The same messages under one identifier may be sent again.
async fn call(
    gateway: &Gateway,
    messages: &[SubmitWarningsRequest],
    progress: &Progress,
) -> Result<SubmitWarningsResponse> {
    let mut patience = Patience::with_all();
    loop {
        let answer: Result<_, Status> = gateway.signals().submit_warnings(stream::iter(messages.to_vec())).await;
        match answer {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(error) if patience.again(&error, |note| progress.note(note)).await => {}
            Err(error) => bail!(gateway.explain(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tongxin_files::Form;

    use super::*;

    #[test]
    fn a_department_is_named_as_in_the_contract() {
        assert_eq!(department("medical_insurance"), Ok(Department::MedicalInsurance));
        assert!(department("medicine").unwrap_err().contains("civil_affairs"));
        assert!(Form::of::<Warning>().find("证件号码").is_some());
    }
}
