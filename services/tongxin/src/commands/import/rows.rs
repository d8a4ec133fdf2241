//! Row-by-row imports: a file is checked, then sent, and resumed after an interruption.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use futures::{TryStreamExt as _, stream::BoxStream};
use prost::Message;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus, RowError},
    monitoring::v1::GetImportRequest,
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    client::{Gateway, Target},
    csv_file::CsvError,
    household_csv::Row,
    patience::{Patience, is_passing},
    progress::Progress,
};

/// Maximum number of faults in an error message.
const FAULTS_NAMED: usize = 20;

/// What every import is told.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file
    file: PathBuf,

    /// Checks every row and writes nothing
    #[arg(long)]
    dry_run: bool,

    /// Instead of the one that follows from the file and from import.namespace beside the token file
    #[arg(long = "import-id", value_name = "UUID")]
    id: Option<Uuid>,

    /// For programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

pub trait Kind {
    /// A row.
    type Draft: Message;
    /// A message of the stream.
    type Request: Send + Sync + 'static;

    const NAME: &'static str;
    const PER_MESSAGE: usize;

    fn read(
        input: impl BufRead + 'static,
    ) -> Result<impl Iterator<Item = Result<Row<Self::Draft>, CsvError>>, CsvError>;

    /// The first message.
    fn options(options: ImportOptions) -> Self::Request;

    /// All other messages.
    fn rows(first_row: i64, rows: Vec<Self::Draft>) -> Self::Request;

    /// Sends messages, and returns the progress.
    fn call(
        gateway: &Gateway,
        messages: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<BoxStream<'static, Result<ImportStatus, Status>>, Status>>;
}

/// The content of a file, checked before anything is sent.
struct Content {
    /// Line number of each row.
    lines: Vec<u64>,
    hash: [u8; 32],
}

/// An import in progress.
struct Importing<'args> {
    args: &'args Import,
    gateway: Gateway,
    import_id: String,
    content: Content,
    progress: Progress,
    /// By row.
    errors: BTreeMap<i64, RowError>,
}

pub async fn run<K: Kind>(args: Import) -> Result<()> {
    let file = args.file.display().to_string();
    let gateway = args.target.connect()?;
    let content = check::<K>(&args.file).with_context(|| file.clone())?;
    let import_id = match args.id {
        Some(id) => id,
        // The same file gets the same identifier, so that a repetition resumes the import.
        None => Uuid::new_v5(&args.target.namespace()?, &[K::NAME.as_bytes(), &content.hash].concat()),
    }
    .to_string();
    let progress = Progress::begin(K::NAME, u64::try_from(content.lines.len()).ok());
    let mut importing = Importing { args: &args, gateway, import_id, content, progress, errors: BTreeMap::new() };
    let status = importing.carry_out::<K>().await.with_context(|| file.clone())?;
    importing.end::<K>(&status)
}

fn open<K: Kind>(path: &Path) -> Result<impl Iterator<Item = Result<Row<K::Draft>, CsvError>>> {
    let file = File::open(path).context("cannot be opened")?;
    Ok(K::read(BufReader::new(file))?)
}

/// Reads the whole file once.
fn check<K: Kind>(path: &Path) -> Result<Content> {
    let (mut lines, mut faults, mut hasher) = (Vec::new(), Vec::new(), Sha256::new());
    for row in open::<K>(path)? {
        match row {
            Ok(row) => {
                hasher.update(row.draft.encode_length_delimited_to_vec());
                lines.push(row.line);
            }
            Err(fault) if faults.len() < FAULTS_NAMED => faults.push(fault.to_string()),
            Err(_) => break,
        }
    }
    match faults.as_slice() {
        [] if lines.is_empty() => bail!("the file has a header, but no rows"),
        [] => Ok(Content { lines, hash: hasher.finalize().into() }),
        [only] => bail!("{only}. Nothing was sent"),
        several => bail!("nothing was sent, because of\n  {}", several.join("\n  ")),
    }
}

impl Importing<'_> {
    /// Sends rows until all are processed.
    async fn carry_out<K: Kind>(&mut self) -> Result<ImportStatus> {
        let all = i64::try_from(self.content.lines.len())?;
        let mut patience = if self.args.dry_run { Patience::with_answers() } else { Patience::with_all() };
        let mut status = self.status().await?;
        // Reports rows that were refused in an earlier attempt.
        self.name(&status.errors);
        while status.rows_taken < all {
            let sent = self.send::<K>(usize::try_from(status.rows_taken)?).await?;
            match sent {
                Ok(reached) if reached.rows_taken >= all => return Ok(reached),
                Ok(_) => bail!("the service ended the import before its end: import the file again, it goes on"),
                Err(error) if patience.again(&error, |note| self.progress.note(note)).await => {
                    status = self.status().await?;
                }
                Err(error) => return Err(self.gateway.explain(&error)),
            }
        }
        Ok(status)
    }

    /// How far the import has come; zero before its first row.
    async fn status(&self) -> Result<ImportStatus> {
        if self.args.dry_run {
            return Ok(ImportStatus::default());
        }
        let request = GetImportRequest { import_id: self.import_id.clone() };
        match self.gateway.households().get_import(request).await {
            Ok(answer) => Ok(answer.into_inner().status.unwrap_or_default()),
            Err(status) if status.code() == Code::NotFound => Ok(ImportStatus::default()),
            // Sending rows retries, and reports a better error.
            Err(status) if is_passing(&status) => Ok(ImportStatus::default()),
            Err(status) => Err(self.gateway.explain(&status)),
        }
    }

    /// Sends the rows after the first `taken`, and returns the progress.
    async fn send<K: Kind>(&mut self, taken: usize) -> Result<Result<ImportStatus, Status>> {
        let (messages, stream) = mpsc::channel(4);
        let options = ImportOptions { import_id: self.import_id.clone(), dry_run: self.args.dry_run };
        messages.send(K::options(options)).await?;
        let gateway = self.gateway.clone();
        let file = self.args.file.clone();
        let follow = async {
            let mut answers = K::call(&gateway, ReceiverStream::new(stream)).await?;
            let mut reached = ImportStatus::default();
            while let Some(answer) = answers.try_next().await? {
                self.progress.reach(answer.rows_taken.unsigned_abs());
                self.name(&answer.errors);
                reached = answer;
            }
            Ok(reached)
        };
        let (sent, followed) = tokio::join!(rows_of::<K>(&file, taken, messages), follow);
        sent?;
        Ok(followed)
    }

    /// Reports refused rows, each once.
    fn name(&mut self, errors: &[RowError]) {
        for error in errors {
            if self.errors.insert(error.row, error.clone()).is_some() {
                continue;
            }
            if !self.args.json {
                let RowError { reason, message, .. } = error;
                self.progress.note(&format!("line {}: {message} ({reason})", self.line(error)));
            }
        }
    }

    /// The line of a row; 0 if the file has no such row.
    fn line(&self, error: &RowError) -> u64 {
        let place = usize::try_from(error.row - 1).ok();
        place.and_then(|place| self.content.lines.get(place)).copied().unwrap_or(0)
    }

    fn end<K: Kind>(self, status: &ImportStatus) -> Result<()> {
        let ImportStatus { rows_taken, accepted, refused, warned, .. } = status;
        if self.args.json {
            let errors = self.errors.values().map(|error| {
                let RowError { row, reason, field, message, .. } = error;
                json!({"line": self.line(error), "row": row, "reason": reason, "field": field, "message": message})
            });
            let result = json!({
                "import_id": self.import_id,
                "dry_run": self.args.dry_run,
                "rows": rows_taken,
                "accepted": accepted,
                "refused": refused,
                "warned": warned,
                "errors": errors.collect::<Vec<_>>(),
            });
            self.progress.end("done");
            say!("{result:#}")?;
        } else {
            self.progress.end("done");
            let would = if self.args.dry_run { "would be " } else { "" };
            say!(
                "{rows_taken} {}: {accepted} {would}accepted, {warned} of them with a data-quality warning; \
                 {refused} {would}refused",
                K::NAME
            )?;
        }
        if *refused > 0 {
            bail!("{refused} of {rows_taken} rows were refused: correct them and import them as a file of their own");
        }
        Ok(())
    }
}

async fn rows_of<K: Kind>(path: &Path, taken: usize, messages: mpsc::Sender<K::Request>) -> Result<()> {
    let changed = || format!("{} changed meanwhile", path.display());
    let mut rows = open::<K>(path).with_context(changed)?.skip(taken);
    let mut first_row = i64::try_from(taken)? + 1;
    loop {
        let part: Result<Vec<_>, _> = rows.by_ref().take(K::PER_MESSAGE).map(|row| row.map(|row| row.draft)).collect();
        let part = part.with_context(changed)?;
        if part.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(part.len())?;
        // If the server no longer reads, its response says why.
        if messages.send(K::rows(first_row, part)).await.is_err() {
            return Ok(());
        }
        first_row += count;
    }
}
