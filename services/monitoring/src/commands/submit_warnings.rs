//! Takes warnings of a department. Nothing that leaves here tells whether a person is known.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::{
        WarningId,
        id_number::IdNumber,
        risk::Risk,
        signal::{Department, SignalRefused},
    },
    error::Error,
    store::signals::{self, Warning},
};

/// What is stated of a warning.
pub struct WarningDraft {
    /// The person.
    pub id_number: IdNumber,
    /// What the person's household is at risk of.
    pub cause: Risk,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// The sender's own number.
    pub reference: String,
    /// Where the person lives, as far as the sender knows.
    pub lives_in: Option<RegionCode>,
}

/// Takes warnings of a department.
pub struct SubmitWarnings {
    /// The department.
    pub department: Department,
    /// The region of the sender's token, within which people are looked for.
    pub region: RegionCode,
    /// The warnings, or why they cannot be read.
    pub rows: Vec<Result<WarningDraft, Error>>,
}

/// What became of warnings, as far as the sender may know.
pub struct Submitted {
    /// Warnings that were received.
    pub received: i64,
    /// Numbers of the malformed ones, from 1, and what is wrong with them.
    pub malformed: Vec<(i64, Error)>,
}

impl Command for SubmitWarnings {
    type Policy = Policy;
    type Output = Submitted;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Submitted, Error> {
        let Self { department, region, rows } = self;
        let mut warnings = Vec::with_capacity(rows.len());
        let mut malformed = Vec::new();
        for (row, draft) in (1..).zip(rows) {
            match draft.and_then(|draft| check(draft, region, context, policy)) {
                Ok(warning) => warnings.push(warning),
                Err(error) => malformed.push((row, error)),
            }
        }
        signals::hold_still(conn).await?;
        let new = signals::keep(conn, context, &policy.keys, (department, region), &warnings).await?;
        signals::match_within(conn, context, &policy.keys, department, &new).await?;
        Ok(Submitted { received: i64::try_from(warnings.len()).unwrap_or(i64::MAX), malformed })
    }
}

fn check(draft: WarningDraft, region: RegionCode, context: &Context, policy: &Policy) -> Result<Warning, Error> {
    policy.check_date("occurred_on", draft.occurred_on, context)?;
    let WarningDraft { id_number, cause, occurred_on, reference, lives_in } = draft;
    if let Some(elsewhere) = lives_in.filter(|home| !region.contains(*home)) {
        return Err(SignalRefused::OutsideRegion(elsewhere).into());
    }
    Ok(Warning { id: WarningId(context.new_id()), id_number, cause, occurred_on, reference })
}
