//! Files with households: one line per member.

use std::io::BufRead;

use tongxin_proto::monitoring::v1::{
    Health, HouseholdDraft, Insurance, LabourAbility, MemberDraft, Relation, Schooling, SocialSupport, Work,
};

use super::{Row, day, truth, word, words};
use crate::csv_file::{Columns, CsvError, CsvRows, Record};

const COLUMNS: Columns = Columns {
    needed: &[
        "household_number",
        "region_code",
        "support",
        "name",
        "id_number",
        "relation",
        "health",
        "labour",
        "schooling",
        "work",
    ],
    optional: &[
        "registered_on",
        "lifted_from_poverty",
        "address",
        "bank_account",
        "insurances",
        "work_months",
        "phone",
    ],
    longest_line: 4_000,
};

/// Columns about the household, not the member.
const OF_HOUSEHOLD: [&str; 6] =
    ["region_code", "support", "registered_on", "lifted_from_poverty", "address", "bank_account"];

/// The households of a file. Continues after a line with invalid values, but not after a malformed line.
pub struct HouseholdRows<R> {
    rows: CsvRows<R>,
    /// The first line of the next household.
    ahead: Option<Record>,
    ended: bool,
}

impl<R: BufRead> HouseholdRows<R> {
    pub fn open(input: R) -> Result<Self, CsvError> {
        Ok(Self { rows: CsvRows::open(input, COLUMNS)?, ahead: None, ended: false })
    }

    fn lines(&mut self) -> Result<Vec<Record>, CsvError> {
        let mut lines: Vec<Record> = self.ahead.take().into_iter().collect();
        while let Some(line) = self.rows.next_row()? {
            let number = |line: &Record| line.text("household_number").to_owned();
            if lines.first().is_some_and(|first| number(first) != number(&line)) {
                self.ahead = Some(line);
                break;
            }
            lines.push(line);
        }
        Ok(lines)
    }
}

impl<R: BufRead> Iterator for HouseholdRows<R> {
    type Item = Result<Row<HouseholdDraft>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.lines() {
            Ok(lines) => household(&lines).transpose(),
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

fn household(lines: &[Record]) -> Result<Option<Row<HouseholdDraft>>, CsvError> {
    let Some(first) = lines.first() else { return Ok(None) };
    let number = first.text("household_number");
    if number.is_empty() {
        let what = "is empty: lines of one household are put together by it";
        return Err(first.wrong(Some("household_number"), what));
    }
    for line in lines {
        let differs = |column: &&&str| !["", first.text(column)].contains(&line.text(column));
        if let Some(column) = OF_HOUSEHOLD.iter().find(differs) {
            return Err(line.wrong(Some(column), format!("differs from line {}, of the same household", first.line)));
        }
    }
    let lifted = !first.text("lifted_from_poverty").is_empty() && truth(first, "lifted_from_poverty")?;
    Ok(Some(Row {
        line: first.line,
        draft: HouseholdDraft {
            household_number: number.to_owned(),
            region_code: first.text("region_code").to_owned(),
            address: first.text("address").to_owned(),
            bank_account: first.text("bank_account").to_owned(),
            lifted_from_poverty: lifted,
            support: word::<SocialSupport>(first, "support")?,
            members: lines.iter().map(member).collect::<Result<_, _>>()?,
            registered_on: day(first, "registered_on")?,
            ..HouseholdDraft::default()
        },
    }))
}

fn member(line: &Record) -> Result<MemberDraft, CsvError> {
    let work_months = match line.text("work_months") {
        "" => 0,
        text => text.parse().map_err(|_| line.wrong(Some("work_months"), "a number from 0 to 12 is needed"))?,
    };
    Ok(MemberDraft {
        name: line.text("name").to_owned(),
        id_number: line.text("id_number").to_owned(),
        relation: word::<Relation>(line, "relation")?,
        health: words::<Health>(line, "health")?,
        labour: word::<LabourAbility>(line, "labour")?,
        schooling: word::<Schooling>(line, "schooling")?,
        insurances: words::<Insurance>(line, "insurances")?,
        work: word::<Work>(line, "work")?,
        work_months,
        phone: line.text("phone").to_owned(),
    })
}
