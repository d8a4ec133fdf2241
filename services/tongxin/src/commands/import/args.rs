//! What every import of rows is told.

use std::path::PathBuf;

use tongxin_files::Choice;
use uuid::Uuid;

use crate::client::Target;

/// What every import of rows is told.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file: CSV or XLSX
    pub file: PathBuf,

    /// Checks every row and writes nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Writes the rows that are refused, with the reason beside each, to be mended and imported: XLSX if its name ends so, else CSV
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    #[command(flatten)]
    pub reading: Reading,

    /// Instead of the one that follows from the file and from import.namespace beside the token file
    #[arg(long = "import-id", value_name = "UUID")]
    pub id: Option<Uuid>,

    /// Sends rows that were accepted earlier once more: they are compared with what is kept now
    #[arg(long, conflicts_with = "id")]
    pub again: bool,

    /// For programs
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub target: Target,
}

/// How the file is read.
#[derive(Debug, Clone, clap::Args)]
pub struct Reading {
    /// Sheet of an XLSX file; the first visible one if not given
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,

    /// Leaves columns out that nothing is known of
    #[arg(long)]
    ignore_unknown: bool,
}

impl Reading {
    pub fn choice(&self) -> Choice {
        Choice { sheet: self.sheet.clone(), ignore_unknown: self.ignore_unknown }
    }
}
