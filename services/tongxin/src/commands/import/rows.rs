//! Row-by-row imports: a file is checked, then sent, and resumed after an interruption.

use std::ops::Range;

use anyhow::{Context as _, Result, bail};
use futures::TryStreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_proto::{
    Parts as _,
    batch::v1::{ImportOptions, ImportStatus, RowError},
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    args::Import,
    kinds::Kind,
    outcome,
    report::{Report, time},
    source::Source,
};
use crate::{
    client::Gateway,
    lang::told,
    patience::{Patience, is_passing},
    progress::Progress,
    quality_rules,
};

/// An import in progress.
struct Importing<'args, K: Kind> {
    args: &'args Import,
    gateway: Gateway,
    import_id: String,
    source: Source<K::Row>,
    report: Report,
    progress: Progress,
}

pub async fn run<K: Kind>(args: Import) -> Result<()> {
    let file = args.file.display().to_string();
    let gateway = args.target.connect_soon().await?;
    let source = Source::new(&args.file, args.reading.choice());
    let content = outcome::checked(&source, &args).await?;
    let import_id = match args.id {
        Some(id) => id,
        None if args.again => Uuid::new_v4(),
        // The same file gets the same identifier, so that a repetition resumes the import.
        None => Uuid::new_v5(&args.target.namespace()?, &[K::NAMES[0].as_bytes(), &content.hash].concat()),
    }
    .to_string();
    let progress = Progress::begin(K::name(), u64::try_from(content.lines.rows()).ok());
    let report = Report::new(content, !args.json);
    let mut importing: Importing<'_, K> = Importing { args: &args, gateway, import_id, source, report, progress };
    let status = importing.carry_out().await.with_context(|| file.clone())?;
    importing.end(&status).await
}

impl<K: Kind> Importing<'_, K> {
    /// Sends rows until all are decided: first those that are new, then those again that an earlier call was refused. Rows
    /// that differ from what is kept are limited by the hour, and would keep new ones waiting.
    async fn carry_out(&mut self) -> Result<ImportStatus> {
        let all = self.report.rows();
        let mut patience = if self.args.dry_run { Patience::with_answers() } else { Patience::with_all() };
        let mut status = self.status().await?;
        self.note_earlier(&status).await;
        for mut range in ranges(&status, all) {
            let begin = range.start;
            while !range.is_empty() {
                let sent = self.send(&mut range).await?;
                match sent {
                    Ok(reached) if range.is_empty() => status = reached,
                    Ok(_) => bail!(told!(
                        "the service ended the import before its end: import the file again, it goes on",
                        "服务提前结束了导入：请再次导入同一文件，会从中断处继续"
                    )),
                    Err(error) if patience.again(&error, |note| self.progress.note(note)).await => {
                        // What a dry run has taken is forgotten with its stream.
                        if self.args.dry_run {
                            range.start = begin;
                        }
                    }
                    Err(error) => return Err(self.gateway.explain(&error)),
                }
            }
        }
        Ok(status)
    }

    /// How far the import has come; zero before its first row.
    async fn status(&self) -> Result<ImportStatus> {
        if self.args.dry_run {
            return Ok(ImportStatus::default());
        }
        match K::status(&self.gateway, self.import_id.clone()).await {
            Ok(status) => Ok(status.unwrap_or_default()),
            Err(status) if status.code() == Code::NotFound => Ok(ImportStatus::default()),
            // Sending rows retries, and reports a better error.
            Err(status) if is_passing(&status) => Ok(ImportStatus::default()),
            Err(status) => Err(self.gateway.explain(&status)),
        }
    }

    /// Says what became of the rows of the same file before.
    async fn note_earlier(&mut self, status: &ImportStatus) {
        let ImportStatus { rows_taken, refused, .. } = status;
        if *rows_taken == 0 {
            return;
        }
        // Those that were refused are named when they are tried again.
        let warned = ImportStatus { warnings: status.warnings.clone(), ..ImportStatus::default() };
        add(&mut self.report, &warned, &self.gateway, &self.progress).await;
        self.progress.note(&told!(
            "{rows_taken} rows of this file were imported before; it goes on after them",
            "本文件此前已导入 {rows_taken} 行，从其后继续"
        ));
        if ranges(status, self.report.rows()).is_empty() {
            self.progress.note(&told!(
                "none is left to be sent; --again sends them once more, to be compared with what is kept now",
                "没有需要再提交的行；如要按现有数据重新核对，请加 --again"
            ));
        }
        let Some(last) = status.errors.iter().filter_map(|error| error.refused_time).max_by_key(|time| time.seconds)
        else {
            return;
        };
        let last = time(last);
        self.progress.note(&told!(
            "{refused} of them were refused, the last at {last}: these are tried again",
            "其中 {refused} 行被退回（最近一次 {last}），现在重试这些行"
        ));
    }

    /// Sends the rows of a range, whose begin it moves on with each response. Returns the last one.
    async fn send(&mut self, range: &mut Range<usize>) -> Result<Result<ImportStatus, Status>> {
        let (messages, stream) = mpsc::channel(4);
        let options = ImportOptions { import_id: self.import_id.clone(), dry_run: self.args.dry_run };
        messages.send(K::Request::of_options(options)).await?;
        let (gateway, source, rows) = (self.gateway.clone(), self.source.clone(), range.clone());
        let follow = async {
            let mut answers = gateway.noting(K::call(&gateway, ReceiverStream::new(stream))).await?;
            let mut reached = ImportStatus::default();
            // Each message has a response, in their order.
            while let Some(answer) = answers.try_next().await? {
                range.start = (range.start + K::PER_MESSAGE).min(range.end);
                self.progress.reach(range.start as u64);
                add(&mut self.report, &answer, &gateway, &self.progress).await;
                reached = answer;
            }
            Ok(reached)
        };
        let (sent, followed) = tokio::join!(source.send((rows, K::PER_MESSAGE), K::Request::of_rows, messages), follow);
        sent?;
        Ok(followed)
    }

    async fn end(self, status: &ImportStatus) -> Result<()> {
        let Self { args, source, report, progress, .. } = self;
        progress.end(&told!("done", "完成"));
        let ImportStatus { rows_taken, accepted, refused, warned, unchanged, corrected, .. } = status;
        if args.json {
            say!("{:#}", report.json(status, args.dry_run))?;
        } else {
            let name = K::name();
            let corrected = match corrected {
                0 => String::new(),
                _ => told!(", {corrected} correct earlier ones", "，{corrected} 行更正已有内容"),
            };
            let line = if args.dry_run {
                told!(
                    "{rows_taken} {name}: {accepted} would be accepted, of which {unchanged} are unchanged{corrected} and {warned} have a \
                     data-quality warning; {refused} would be refused",
                    "{name} {rows_taken} 行：可接收 {accepted} 行（其中 {unchanged} 行与已有内容相同{corrected}，{warned} 行有数据质量提示），\
                     将退回 {refused} 行"
                )
            } else {
                told!(
                    "{rows_taken} {name}: {accepted} accepted, of which {unchanged} are unchanged{corrected} and {warned} have a \
                     data-quality warning; {refused} refused",
                    "{name} {rows_taken} 行：已接收 {accepted} 行（其中 {unchanged} 行与已有内容相同{corrected}，{warned} 行有数据质量提示），\
                     退回 {refused} 行"
                )
            };
            say!("{line}")?;
        }
        outcome::refused(&source, args, &report, status).await
    }
}

/// Adds an answer to a report, and asks for the rules at the first warning.
async fn add(report: &mut Report, status: &ImportStatus, gateway: &Gateway, progress: &Progress) {
    if report.lacks_rules(status) {
        let rules = gateway.noting(quality_rules::ask(gateway)).await;
        report.set_rules(rules.map(|answer| quality_rules::texts(answer.into_inner())).unwrap_or_default());
    }
    report.add(status, progress);
}

/// The rows to send: those that were not taken yet, and those from the first that was refused up to the last.
fn ranges(status: &ImportStatus, all: usize) -> Vec<Range<usize>> {
    let number = |row: i64| usize::try_from(row).unwrap_or_default().min(all);
    let taken = number(status.rows_taken);
    let first_refused = status.errors.iter().map(|error: &RowError| error.row).min();
    let again = first_refused.map(|row| number(row - 1)..taken);
    [Some(taken..all), again].into_iter().flatten().filter(|range| !range.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_are_sent_first_and_then_those_that_were_refused() {
        let refused = |row| RowError { row, ..RowError::default() };
        let status = |rows_taken, errors| ImportStatus { rows_taken, errors, ..ImportStatus::default() };
        let ranges = |status: &ImportStatus, all| {
            ranges(status, all).into_iter().map(|range| (range.start, range.end)).collect::<Vec<_>>()
        };
        assert_eq!(ranges(&ImportStatus::default(), 50), [(0, 50)]);
        assert_eq!(ranges(&status(1_000, Vec::new()), 1_000), []);
        assert_eq!(ranges(&status(1_000, vec![refused(700), refused(20)]), 2_500), [(1_000, 2_500), (19, 1_000)]);
        assert_eq!(ranges(&status(3, vec![refused(1)]), 3), [(0, 3)]);
    }
}
