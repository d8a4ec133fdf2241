//! `tongxin import`: files into services.
//!
//! | file | |
//! |---|---|
//! | `args`     | what every import of rows is told |
//! | `source`   | the file: checked whole, then read again to be sent |
//! | `rows`     | sends rows, and resumes after an interruption |
//! | `kinds`    | what is imported so, and by which method |
//! | `outcome`  | what a file comes to that is not sent, or of which rows are refused |
//! | `report`   | what is said of refused rows and warnings |
//! | `regions`  | an edition of the register, all or nothing |
//! | `warnings` | warnings of a department |

mod args;
mod kinds;
mod outcome;
mod regions;
mod report;
mod rows;
mod source;
mod warnings;

use anyhow::Result;
use clap::Subcommand;

use self::args::Import;

const RESUMED: &str = "
Files may be CSV (UTF-8, UTF-16 or GB18030; with commas, semicolons or tabs) or XLSX, with headings in Chinese or English in any
order; `tongxin template` writes one to fill in. Rows are taken one by one: those that are refused are named with line and
column, and the exit code is 1. The same file may be imported again at any time: what was broken off goes on where it ended,
rows that were refused are tried again, and rows that say what is kept already change nothing.";

/// Takes files in.
#[derive(Debug, Subcommand)]
pub enum What {
    Regions(regions::Regions),
    Organisations(Organisations),
    Pairings(Pairings),
    Households(Households),
    Observations(Observations),
    Warnings(warnings::Warnings),
}

/// Registers organisations of both sides: CSV or XLSX, a line for each.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Needs a token of the
/// role county or hq.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin template organisations --out organisations.xlsx
  tongxin import organisations organisations.xlsx --dry-run
  tongxin import organisations organisations.xlsx --rejects refused.xlsx

A file with one organisation:
  name,kind,side,host_kind,region_code,credit_code
  太平镇中心小学,school,recipient,,441823107000,
{RESUMED}"))]
pub struct Organisations {
    #[command(flatten)]
    import: Import,
}

/// Pairs organisations: CSV or XLSX, a line for each pairing.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. An organisation is
/// named by its credit code or its identifier. Needs a token of the role county or hq.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin template pairings --out pairings.xlsx
  tongxin import pairings pairings.xlsx --dry-run
  tongxin import pairings pairings.xlsx
{RESUMED}"))]
pub struct Pairings {
    #[command(flatten)]
    import: Import,
}

/// Registers households with their members: CSV or XLSX, a line for each member.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Needs a token of the
/// role town, county, hq or operator.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin template households --out households.xlsx
  tongxin import households households.xlsx --dry-run
  tongxin import households households.csv --rejects refused.csv

Two members of a household (lines with the same household_number follow each other; of the second line, what is
about the household may be empty):
  household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,registered_on
  4418230001,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming,2025-01-01
  4418230001,,,陈小,110101202311012176,child,healthy,none,before_school,,none,

Columns that may be missing: registered_on (today), lifted_from_poverty (0 or 1), address, bank_account, insurances,
work_months, phone. Of health and insurances there may be several words with ; between them.
{RESUMED}"))]
pub struct Households {
    #[command(flatten)]
    import: Import,
}

/// Records what was observed of households: CSV or XLSX, a line for each household and window of 12 months.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Needs a token of the
/// role town, county, hq or operator.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin template observations --out observations.xlsx
  tongxin import observations observations.csv --dry-run
  tongxin import observations observations.csv

A file with one observation (amounts in yuan of the household, for the 12 months up to window_ends_on):
  household_number,window_ends_on,wages,business,property,transfer,business_expense,out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks
  4418230001,2025-12-31,20000,3500.50,0,600,800,15000,6000,1,1,b,1,accident:20000;natural_disaster/flood:15000

shocks may be missing; an empty amount is 0.
{RESUMED}"))]
pub struct Observations {
    #[command(flatten)]
    import: Import,
}

pub async fn run(what: What) -> Result<()> {
    match what {
        What::Regions(args) => regions::run(args).await,
        What::Organisations(args) => rows::run::<kinds::Organisations>(args.import).await,
        What::Pairings(args) => rows::run::<kinds::Pairings>(args.import).await,
        What::Households(args) => rows::run::<kinds::Households>(args.import).await,
        What::Observations(args) => rows::run::<kinds::Observations>(args.import).await,
        What::Warnings(args) => warnings::run(args).await,
    }
}
