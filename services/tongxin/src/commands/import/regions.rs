//! `tongxin import regions`: an edition of the register.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_platform::{clock::Clock, region::RegionCode};
use tongxin_proto::pairing::v1::{
    ImportRegionsRequest, ImportRegionsResponse, ImportRegionsResult, ImportStage, RegionEdition, RegionRow,
    RegionRows, import_regions_request::Part,
};
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::commands::{day, region};
use crate::{
    client::{Gateway, Target},
    patience::Patience,
    progress::Progress,
    register_csv::RegisterRows,
};

const ROWS_PER_MESSAGE: usize = 1_000;

const TITLE: &str = "importing regions";

/// Takes an edition of the register of regions: CSV in UTF-8 with the header `code,name,level,parent_code,assisted`.
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
    target: Target,
}

pub async fn run(args: Regions) -> Result<()> {
    let gateway = args.target.connect_for_register()?;
    let content = Content::check(&args.file).with_context(|| args.file.display().to_string())?;
    content.check_count(args.rows).with_context(|| args.file.display().to_string())?;
    let effective_from = args.effective_from.unwrap_or_else(|| Clock::system().today());
    let edition = RegionEdition {
        request_id: args.request_id.unwrap_or_else(|| request_id(&args, &content, effective_from)).to_string(),
        effective_from: Some(effective_from.into()),
        complete_for: args.complete_for.map(|code| code.to_string()).unwrap_or_default(),
        source: args.source,
        row_count: args.rows.map(i64::from).unwrap_or_default(),
    };
    let result = import(&gateway, edition, &args.file, content.rows).await?;
    say!(
        "{} regions: {} new, {} changed, {} withdrawn; {} towns and villages began or ceased to be assisted",
        result.rows,
        result.added,
        result.changed,
        result.withdrawn,
        result.assistance_changed
    )?;
    Ok(())
}

/// The content of a file, checked before anything is sent.
struct Content {
    rows: u64,
    hash: [u8; 32],
}

impl Content {
    /// Reads the whole file once.
    fn check(path: &Path) -> Result<Self> {
        let mut hasher = Sha256::new();
        let mut count = 0;
        for row in open(path)? {
            let row = row?;
            for field in [&row.code, &row.name, &row.parent_code] {
                hasher.update(field);
                hasher.update(b",");
            }
            hasher.update([u8::try_from(row.level).unwrap_or_default(), u8::from(row.assisted)]);
            count += 1;
        }
        if count == 0 {
            bail!("the file has a header, but no rows");
        }
        Ok(Self { rows: count, hash: hasher.finalize().into() })
    }

    fn check_count(&self, stated: Option<u32>) -> Result<()> {
        match stated {
            Some(stated) if u64::from(stated) != self.rows => bail!(
                "the file has {} rows, --rows says {stated}: is it cut off, or another one? Nothing was sent",
                self.rows
            ),
            _ => Ok(()),
        }
    }
}

fn open(path: &Path) -> Result<RegisterRows<BufReader<File>>> {
    let file = File::open(path).context("cannot be opened")?;
    Ok(RegisterRows::open(BufReader::new(file))?)
}

/// The idempotency key, the same for the same file and options, so that a repetition is safe.
fn request_id(args: &Regions, content: &Content, effective_from: NaiveDate) -> Uuid {
    let options = format!("{effective_from}\n{:?}\n{:?}\n{}\n", args.complete_for, args.rows, args.source);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &[options.as_bytes(), &content.hash].concat())
}

async fn import(gateway: &Gateway, edition: RegionEdition, path: &Path, total: u64) -> Result<ImportRegionsResult> {
    let mut patience = Patience::with_answers();
    loop {
        match try_once(gateway, edition.clone(), path, total).await? {
            Ok(result) => return result.context("the service ended the import without a result"),
            // Nothing was imported, and the idempotency key is the same.
            Err(status) if patience.again(&status, |note| eprintln!("{note}")).await => {}
            Err(status) => {
                let refused = Err(gateway.explain(&status));
                return refused.context("nothing was taken (row 1 of the file is its line 2)");
            }
        }
    }
}

async fn try_once(
    gateway: &Gateway,
    edition: RegionEdition,
    path: &Path,
    total: u64,
) -> Result<Result<Option<ImportRegionsResult>, Status>> {
    let (messages, stream) = mpsc::channel(4);
    messages.send(ImportRegionsRequest { part: Some(Part::Edition(edition)) }).await?;
    let answers = match gateway.pairing().import_regions(ReceiverStream::new(stream)).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    let progress = Progress::begin(TITLE, Some(total));
    let (sent, result) = tokio::join!(send(path, messages), follow(answers, progress));
    sent?;
    Ok(result)
}

async fn send(path: &Path, messages: mpsc::Sender<ImportRegionsRequest>) -> Result<()> {
    let mut rows = open(path)?;
    loop {
        let part: Result<Vec<RegionRow>, _> = rows.by_ref().take(ROWS_PER_MESSAGE).collect();
        let (part, failed) = match part {
            Ok(part) if part.is_empty() => return Ok(()),
            Ok(part) => (Some(Part::Rows(RegionRows { rows: part })), None),
            // A message without a part makes the server refuse the import: a partial file must not look complete.
            Err(error) => (None, Some(error)),
        };
        // If the server no longer reads, its response says why.
        let listening = messages.send(ImportRegionsRequest { part }).await.is_ok();
        match failed {
            Some(error) => return Err(error).with_context(|| format!("{} changed meanwhile", path.display())),
            None if !listening => return Ok(()),
            None => {}
        }
    }
}

async fn follow(
    mut answers: Streaming<ImportRegionsResponse>,
    mut progress: Progress,
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
    progress.end("done");
    Ok(result)
}

/// The name of a stage; `None` for the result.
const fn title(stage: ImportStage) -> Option<&'static str> {
    match stage {
        ImportStage::Unspecified => None,
        ImportStage::Receiving => Some(TITLE),
        ImportStage::Checking => Some("checking the rows"),
        ImportStage::Merging => Some("merging them into the register"),
        ImportStage::Publishing => Some("publishing new and changed regions"),
        ImportStage::Following => Some("adjusting assistance and coverage"),
    }
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

    fn check(text: &str, stated: Option<u32>) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("regions.csv");
        std::fs::write(&path, text).unwrap();
        Content::check(&path).unwrap().check_count(stated).map_err(|error| error.to_string())
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
        let whole = "code,name,level,parent_code,assisted\n\
                     441823107000,太平镇,town,441823000000,1\n\
                     441823107201,沙塘村,village,441823107000,1\n";
        let cut_off = whole.lines().take(2).collect::<Vec<_>>().join("\n") + "\n";
        assert_eq!(check(whole, Some(2)), Ok(()));
        assert_eq!(check(&cut_off, None), Ok(()));
        let refused = check(&cut_off, Some(2)).unwrap_err();
        assert_eq!(refused, "the file has 1 rows, --rows says 2: is it cut off, or another one? Nothing was sent");
        assert!(check(whole, Some(1)).is_err());
    }

    #[test]
    fn another_number_of_rows_is_another_request() {
        let content = Content { rows: 2, hash: [7; 32] };
        let day = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
        let id = |options: &[&str]| request_id(&parse(options).unwrap(), &content, day);
        assert_eq!(id(&["--rows", "2"]), id(&["--rows", "2"]));
        assert_ne!(id(&["--rows", "2"]), id(&[]));
    }
}
