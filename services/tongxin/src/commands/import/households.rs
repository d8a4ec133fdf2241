//! `tongxin import households` and `import observations`.

use std::io::BufRead;

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use tokio_stream::wrappers::ReceiverStream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        HouseholdDraft, HouseholdRows as HouseholdMessage, ImportHouseholdsRequest, ImportObservationsRequest,
        ObservationDraft, ObservationRows as ObservationMessage, import_households_request,
        import_observations_request,
    },
};
use tonic::Status;

use super::rows::{Import, Kind};
use crate::{
    client::Gateway,
    csv_file::CsvError,
    household_csv::{HouseholdRows, ObservationRows, Row},
};

const RESUMED: &str = "
Rows are taken one by one: those that are refused are named with their line and a code, and the exit code is 1. What was
broken off goes on where it ended when the same file is imported again. Once all of a file is decided upon, importing it
again changes nothing: correct what was refused in a file of its own.";

/// Registers households with their members: CSV in UTF-8, a line for each member.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Needs a token of the
/// role town, county, hq or operator.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin import households households.csv --dry-run
  tongxin import households households.csv

Two members of a household (lines with the same household_number follow each other; of the second line, what is
about the household may be empty):
  household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,registered_on
  4418230001,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming,2025-01-01
  4418230001,,,李姨,110101202311012176,spouse,healthy,none,before_school,,none,

Columns that may be missing: registered_on (today), lifted_from_poverty (0 or 1), address, bank_account, insurances,
work_months, phone. Words are those of household.proto: HEALTH_SERIOUS_ILLNESS is serious_illness; of health and insurances
there may be several with ; between them.
{RESUMED}"))]
pub struct Households {
    #[command(flatten)]
    pub import: Import,
}

/// Records what was observed of households: CSV in UTF-8, a line for each household and window of 12 months.
///
/// The whole file is read before anything is sent: what cannot be read is named with line and column. Needs a token of the
/// role town, county, hq or operator.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  tongxin import observations observations.csv --dry-run
  tongxin import observations observations.csv

A file with one observation (amounts in yuan of the household, for the 12 months up to window_ends_on):
  household_number,window_ends_on,wages,business,property,transfer,business_expense,out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks
  4418230001,2025-12-31,20000,3500.50,0,600,800,15000,6000,1,1,b,1,accident:20000;natural_disaster/flood:15000

shocks may be missing; an empty amount is 0. Words are those of observation.proto: HOUSING_GRADE_B is b.
{RESUMED}"))]
pub struct Observations {
    #[command(flatten)]
    pub import: Import,
}

pub struct OfHouseholds;

pub struct OfObservations;

impl Kind for OfHouseholds {
    type Draft = HouseholdDraft;
    type Request = ImportHouseholdsRequest;

    const NAME: &'static str = "households";
    const PER_MESSAGE: usize = 500;

    fn read(
        input: impl BufRead + 'static,
    ) -> Result<impl Iterator<Item = Result<Row<Self::Draft>, CsvError>>, CsvError> {
        HouseholdRows::open(input)
    }

    fn options(options: ImportOptions) -> Self::Request {
        ImportHouseholdsRequest { part: Some(import_households_request::Part::Options(options)) }
    }

    fn rows(first_row: i64, rows: Vec<Self::Draft>) -> Self::Request {
        let rows = HouseholdMessage { first_row, rows };
        ImportHouseholdsRequest { part: Some(import_households_request::Part::Rows(rows)) }
    }

    async fn call(
        gateway: &Gateway,
        messages: ReceiverStream<Self::Request>,
    ) -> Result<BoxStream<'static, Result<ImportStatus, Status>>, Status> {
        let answers = gateway.households().import_households(messages).await?.into_inner();
        Ok(answers.map_ok(|answer| answer.status.unwrap_or_default()).boxed())
    }
}

impl Kind for OfObservations {
    type Draft = ObservationDraft;
    type Request = ImportObservationsRequest;

    const NAME: &'static str = "observations";
    const PER_MESSAGE: usize = 1_000;

    fn read(
        input: impl BufRead + 'static,
    ) -> Result<impl Iterator<Item = Result<Row<Self::Draft>, CsvError>>, CsvError> {
        ObservationRows::open(input)
    }

    fn options(options: ImportOptions) -> Self::Request {
        ImportObservationsRequest { part: Some(import_observations_request::Part::Options(options)) }
    }

    fn rows(first_row: i64, rows: Vec<Self::Draft>) -> Self::Request {
        let rows = ObservationMessage { first_row, rows };
        ImportObservationsRequest { part: Some(import_observations_request::Part::Rows(rows)) }
    }

    async fn call(
        gateway: &Gateway,
        messages: ReceiverStream<Self::Request>,
    ) -> Result<BoxStream<'static, Result<ImportStatus, Status>>, Status> {
        let answers = gateway.observations().import_observations(messages).await?.into_inner();
        Ok(answers.map_ok(|answer| answer.status.unwrap_or_default()).boxed())
    }
}
