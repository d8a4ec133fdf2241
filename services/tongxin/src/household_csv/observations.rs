//! Files with observations: one line per household and window.

use std::io::BufRead;

use tongxin_proto::{
    monitoring::v1::{Disaster, HousingGrade, ObservationDraft, Risk, Shock},
    words::Word as _,
};

use super::{Row, amount, day, truth, word, yuan};
use crate::csv_file::{Columns, CsvError, CsvRows, Record};

const COLUMNS: Columns = Columns {
    needed: &[
        "household_number",
        "window_ends_on",
        "wages",
        "business",
        "property",
        "transfer",
        "business_expense",
        "out_of_pocket",
        "insurance_received",
        "schooling_guaranteed",
        "medical_guaranteed",
        "housing_grade",
        "water_safe",
    ],
    // Household numbers are unique within a county, so a file of several counties needs the region.
    optional: &["shocks", "region_code"],
    longest_line: 2_000,
};

/// The observations of a file. Continues after a line with invalid values, but not after a malformed line.
pub struct ObservationRows<R> {
    rows: CsvRows<R>,
    ended: bool,
}

impl<R: BufRead> ObservationRows<R> {
    pub fn open(input: R) -> Result<Self, CsvError> {
        Ok(Self { rows: CsvRows::open(input, COLUMNS)?, ended: false })
    }
}

impl<R: BufRead> Iterator for ObservationRows<R> {
    type Item = Result<Row<ObservationDraft>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.rows.next_row() {
            Ok(line) => line.map(|line| observation(&line)),
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

fn observation(line: &Record) -> Result<Row<ObservationDraft>, CsvError> {
    let shocks = line.text("shocks").split(';').map(str::trim).filter(|shock| !shock.is_empty());
    let shocks = shocks.map(|text| shock(text).map_err(|what| line.wrong(Some("shocks"), what)));
    Ok(Row {
        line: line.line,
        draft: ObservationDraft {
            household_id: String::new(),
            household_number: line.text("household_number").to_owned(),
            region_code: line.text("region_code").to_owned(),
            window_ends_on: day(line, "window_ends_on")?,
            wages_fen: amount(line, "wages")?,
            business_fen: amount(line, "business")?,
            property_fen: amount(line, "property")?,
            transfer_fen: amount(line, "transfer")?,
            business_expense_fen: amount(line, "business_expense")?,
            out_of_pocket_fen: amount(line, "out_of_pocket")?,
            insurance_received_fen: amount(line, "insurance_received")?,
            schooling_guaranteed: truth(line, "schooling_guaranteed")?,
            medical_guaranteed: truth(line, "medical_guaranteed")?,
            housing_grade: word::<HousingGrade>(line, "housing_grade")?,
            water_safe: truth(line, "water_safe")?,
            shocks: shocks.collect::<Result<_, _>>()?,
        },
    })
}

/// Reads `accident:20000`, or `natural_disaster/flood:15000`.
fn shock(text: &str) -> Result<Shock, String> {
    let form = || format!("{text:?} is not like accident:20000 or natural_disaster/flood:15000");
    let (what, loss) = text.split_once(':').ok_or_else(form)?;
    let (cause, disaster) = match what.split_once('/') {
        Some((cause, disaster)) => (cause, Disaster::named(disaster.trim())?),
        None => (what, Disaster::Unspecified),
    };
    Ok(Shock { cause: Risk::named(cause.trim())?.into(), disaster: disaster.into(), loss_fen: yuan(loss.trim())? })
}
