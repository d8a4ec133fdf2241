//! Accepts warnings of a department. Nothing here looks people up, so no response can reveal who is known.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    register::{self, KnownRegions},
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

/// A warning before it is checked.
pub struct WarningDraft {
    pub id_number: IdNumber,
    /// The risk of the person's household.
    pub cause: Risk,
    pub occurred_on: NaiveDate,
    /// The sender's own number.
    pub reference: String,
    /// Where the person lives, as far as the sender knows.
    pub lives_in: Option<RegionCode>,
}

/// Accepts warnings of a department.
pub struct SubmitWarnings {
    /// The department that the sender speaks for.
    pub department: Department,
    /// The region of the sender's token, within which people are matched.
    pub region: RegionCode,
    /// The warnings, or why they cannot be parsed.
    pub rows: Vec<Result<WarningDraft, Error>>,
}

/// The outcome, as far as the sender may know.
pub struct Submitted {
    /// Number of warnings received.
    pub received: i64,
    /// Numbers of the malformed rows, from 1, and what is wrong with them.
    pub malformed: Vec<(i64, Error)>,
}

impl Command for SubmitWarnings {
    type Policy = Policy;
    type Output = Submitted;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Submitted, Error> {
        let Self { department, region, rows } = self;
        let (mut numbers, mut warnings) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut malformed = Vec::new();
        let homes = register::known(conn, rows.iter().flatten().filter_map(|draft| draft.lives_in)).await?;
        for (row, draft) in (1..).zip(rows) {
            match draft.and_then(|draft| check(draft, (region, &homes), context, policy)) {
                Ok(warning) => {
                    numbers.push(row);
                    warnings.push(warning);
                }
                Err(error) => malformed.push((row, error)),
            }
        }
        let are_own = signals::keep(conn, context, &policy.keys, (department, region), &warnings).await?;
        let (own, reused): (Vec<_>, Vec<_>) = numbers.into_iter().zip(are_own).partition(|(_, is_own)| *is_own);
        malformed.extend(reused.into_iter().map(|(row, _)| (row, SignalRefused::ReferenceReused.into())));
        malformed.sort_by_key(|(row, _)| *row);
        Ok(Submitted { received: i64::try_from(own.len()).unwrap_or(i64::MAX), malformed })
    }
}

fn check(
    draft: WarningDraft,
    (region, homes): (RegionCode, &KnownRegions),
    context: &Context,
    policy: &Policy,
) -> Result<Warning, Error> {
    policy.check_date("occurred_on", draft.occurred_on, context)?;
    let WarningDraft { id_number, cause, occurred_on, reference, lives_in } = draft;
    if occurred_on < id_number.birth_date() {
        return Err(SignalRefused::BeforeBirth.into());
    }
    if let Some(home) = lives_in {
        if !region.contains(home) {
            return Err(SignalRefused::OutsideRegion(home).into());
        }
        homes.open_on(home, occurred_on)?;
    }
    Ok(Warning { id: WarningId(context.new_id()), id_number, cause, occurred_on, reference })
}
