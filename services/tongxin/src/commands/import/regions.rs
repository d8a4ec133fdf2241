//! `tongxin import regions`: an edition of the register.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use chrono::NaiveDate;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_platform::{clock::Clock, region::RegionCode};
use tongxin_proto::pairing::v1::{
    ImportRegionsRequest, ImportRegionsResponse, ImportRegionsResult, ImportStage, RegionEdition, RegionRow,
    RegionRows, import_regions_request::Part,
};
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::{
    args::Reading,
    source::{Content, Source},
};
use crate::{
    client::{Gateway, Target},
    commands::{day, region},
    lang::{lang, told},
    patience::Patience,
    progress::Progress,
};

const ROWS_PER_MESSAGE: usize = 1_000;

/// Takes an edition of the register of regions: CSV or XLSX, with the columns `code,name,level,parent_code,assisted`.
///
/// The whole file is taken or nothing. Importing it again changes nothing: the request's identifier follows from
/// the file and the options. Needs a token of the role operator whose region holds all of the file, such as that in the
/// file operator.token of a running `tongxin up`, which is used unless --token-file names another.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin import regions regions.csv --effective-from 2021-01-01
  tongxin import regions guangdong-2024.csv --complete-for 440000000000 --rows 28437 --source 'statistics bureau, 2024'

--complete-for withdraws the regions that the file does not have. A file that was cut off at the end of a line looks
whole, so --rows has to say how many rows the edition has: as its publisher states it, not as this file is counted.

A row looks like this:  441823107000,太平镇,town,441823000000,1
Levels: province, city, county, town, village, community. assisted is 1 for assisted towns and villages, else 0.")]
pub struct Regions {
    /// The register
    file: PathBuf,

    /// First day on which the edition is in force; today if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    effective_from: Option<NaiveDate>,

    /// Registered regions in this one that the file does not have are withdrawn; needs --rows
    #[arg(long, value_name = "CODE", value_parser = region, requires = "rows")]
    complete_for: Option<RegionCode>,

    /// How many rows the edition has, without the header; a file with more or fewer is refused
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rows: Option<u32>,

    /// Where the edition comes from
    #[arg(long, value_name = "TEXT", default_value = "")]
    source: String,

    /// Instead of the one that follows from the file and the options
    #[arg(long, value_name = "UUID")]
    request_id: Option<Uuid>,

    #[command(flatten)]
    reading: Reading,

    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Regions) -> Result<()> {
    let gateway = args.target.connect_for_register().await?;
    let file = args.file.display().to_string();
    let source = Source::<RegionRow>::new(&args.file, args.reading.choice());
    let content = source.check().await?.map_err(|invalid| invalid.told().context(file.clone()))?;
    let rows = u64::try_from(content.lines.rows())?;
    check_count(rows, args.rows).with_context(|| file.clone())?;
    let effective_from = args.effective_from.unwrap_or_else(|| Clock::system().today());
    let edition = RegionEdition {
        request_id: args.request_id.unwrap_or_else(|| request_id(&args, &content.hash, effective_from)).to_string(),
        effective_from: Some(effective_from.into()),
        complete_for: args.complete_for.map(|code| code.to_string()).unwrap_or_default(),
        source: args.source,
        row_count: args.rows.map(i64::from).unwrap_or_default(),
    };
    let result = import(&gateway, edition, &source, &content).await?;
    let line = told!(
        "{} regions: {} new, {} changed, {} withdrawn; {} towns and villages began or ceased to be assisted",
        "{} 个区划：新增 {} 个，变更 {} 个，撤销 {} 个；{} 个镇、村开始或不再受帮扶",
        result.rows,
        result.added,
        result.changed,
        result.withdrawn,
        result.assistance_changed
    );
    say!("{line}")?;
    Ok(())
}

/// Makes sure that the file has as many rows as its publisher states.
fn check_count(rows: u64, stated: Option<u32>) -> Result<()> {
    match stated {
        Some(stated) if u64::from(stated) != rows => bail!(told!(
            "the file has {rows} rows, --rows says {stated}: is it cut off, or another one? Nothing was sent",
            "文件有 {rows} 行，而 --rows 为 {stated}：文件是否不完整，或不是同一个文件？没有提交任何内容"
        )),
        _ => Ok(()),
    }
}

/// The idempotency key, the same for the same file and options, so that a repetition is safe.
fn request_id(args: &Regions, hash: &[u8; 32], effective_from: NaiveDate) -> Uuid {
    let options = format!("{effective_from}\n{:?}\n{:?}\n{}\n", args.complete_for, args.rows, args.source);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &[options.as_bytes(), hash].concat())
}

async fn import(
    gateway: &Gateway,
    edition: RegionEdition,
    source: &Source<RegionRow>,
    content: &Content,
) -> Result<ImportRegionsResult> {
    let total = u64::try_from(content.lines.rows())?;
    let mut patience = Patience::with_answers();
    loop {
        match try_once(gateway, edition.clone(), source, total).await? {
            Ok(result) => {
                return result.with_context(|| {
                    told!("the service ended the import without a result", "服务没有给出结果就结束了导入")
                });
            }
            // Nothing was imported, and the idempotency key is the same.
            Err(status) if patience.again(&status, |note| note!("{note}")).await => {}
            Err(status) => {
                let explained = with_lines(&gateway.explain(&status).to_string(), content);
                bail!(told!("nothing was taken: {explained}", "没有导入任何内容：{explained}"));
            }
        }
    }
}

/// A message about rows by their numbers, with where they stand in the file: `row 3` as `line 4`.
fn with_lines(message: &str, content: &Content) -> String {
    const ROW: &str = "row ";
    let mut parts = message.split(ROW);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|character: char| character.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        match number.parse() {
            Ok(row) => said += &content.lines.place(&content.columns, row, "").say(lang()),
            Err(_) => said.extend([ROW, number]),
        }
        said += rest;
    }
    said
}

async fn try_once(
    gateway: &Gateway,
    edition: RegionEdition,
    source: &Source<RegionRow>,
    total: u64,
) -> Result<Result<Option<ImportRegionsResult>, Status>> {
    let (messages, stream) = mpsc::channel(4);
    messages.send(ImportRegionsRequest { part: Some(Part::Edition(edition)) }).await?;
    let answers = match gateway.pairing().import_regions(ReceiverStream::new(stream)).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    let progress = Progress::begin(title(ImportStage::Receiving).unwrap_or_default(), Some(total));
    let (sent, result) = tokio::join!(send(source, messages), follow(answers, progress));
    sent?;
    Ok(result)
}

/// A file that changed meanwhile must not look complete: a message without a part makes the server refuse the import.
async fn send(source: &Source<RegionRow>, messages: mpsc::Sender<ImportRegionsRequest>) -> Result<()> {
    let message = |_, rows| ImportRegionsRequest { part: Some(Part::Rows(RegionRows { rows })) };
    let sent = source.send((0..usize::MAX, ROWS_PER_MESSAGE), message, messages.clone()).await;
    if sent.is_err() {
        // If the server no longer reads, its response says why.
        let _ = messages.send(ImportRegionsRequest { part: None }).await;
    }
    sent
}

async fn follow(
    mut answers: Streaming<ImportRegionsResponse>,
    progress: Progress,
) -> Result<Option<ImportRegionsResult>, Status> {
    let mut result = None;
    while let Some(answer) = answers.message().await? {
        if let Some(title) = title(answer.stage()) {
            progress.turn_to(title);
        }
        let done = if answer.stage() == ImportStage::Publishing { answer.published } else { answer.received };
        progress.reach(done.unsigned_abs());
        result = answer.result.or(result);
    }
    progress.end(lang().of("done", "完成"));
    Ok(result)
}

/// The name of a stage; `None` for the result.
fn title(stage: ImportStage) -> Option<&'static str> {
    let (en, zh) = match stage {
        ImportStage::Unspecified => return None,
        ImportStage::Receiving => ("importing regions", "正在导入区划"),
        ImportStage::Checking => ("checking the rows", "正在检查各行"),
        ImportStage::Merging => ("merging them into the register", "正在并入区划库"),
        ImportStage::Publishing => ("publishing new and changed regions", "正在发布新增和变更的区划"),
        ImportStage::Following => ("adjusting assistance and coverage", "正在调整帮扶状态和覆盖情况"),
    };
    Some(lang().of(en, zh))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        regions: Regions,
    }

    fn parse(options: &[&str]) -> Result<Regions, String> {
        let given = ["regions", "regions.csv"].iter().chain(options);
        Cli::try_parse_from(given).map(|cli| cli.regions).map_err(|error| error.to_string())
    }

    #[test]
    fn whoever_withdraws_says_how_many_rows_there_are() {
        let refused = parse(&["--complete-for", "440000000000"]).unwrap_err();
        assert!(refused.contains("--rows <NUMBER>"), "{refused}");
        assert!(parse(&["--rows", "0"]).unwrap_err().contains("--rows"));
        let regions = parse(&["--complete-for", "440000000000", "--rows", "28437"]).unwrap();
        assert_eq!(regions.rows, Some(28437));
        assert_eq!(parse(&[]).unwrap().rows, None);
    }

    #[test]
    fn a_file_that_was_cut_off_at_the_end_of_a_line_is_not_sent() {
        assert!(check_count(1, None).is_ok() && check_count(2, Some(2)).is_ok());
        let refused = check_count(1, Some(2)).unwrap_err().to_string();
        assert_eq!(refused, "the file has 1 rows, --rows says 2: is it cut off, or another one? Nothing was sent");
        assert!(check_count(2, Some(1)).is_err());
    }

    #[tokio::test]
    async fn rows_are_named_by_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("regions.csv");
        let file = "code,name,level,parent_code,assisted\n\n441823107000,太平镇,town,441823000000,1\n\n\n\
                    441823107201,\"沙塘\n村\",village,441823107000,1\n441823107202,x,village,441823107000,1\n";
        std::fs::write(&path, file).unwrap();
        let content = Source::<RegionRow>::new(&path, tongxin_files::Choice::default()).check().await.unwrap().unwrap();
        let said = with_lines("row 2: wrong; row 3: the row is wrong, row x", &content);
        assert_eq!(said, "line 6: wrong; line 8: the row is wrong, row x");
    }

    #[test]
    fn another_number_of_rows_is_another_request() {
        let day = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
        let id = |options: &[&str]| request_id(&parse(options).unwrap(), &[7; 32], day);
        assert_eq!(id(&["--rows", "2"]), id(&["--rows", "2"]));
        assert_ne!(id(&["--rows", "2"]), id(&[]));
    }
}
