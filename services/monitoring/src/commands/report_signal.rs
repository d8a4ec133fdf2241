//! Reports a signal that people saw.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::Policy;
use crate::{
    domain::{
        HouseholdId,
        risk::Risk,
        signal::{Origin, Report, Signal, SignalKind, SignalRefused},
    },
    error::Error,
    store::{households, signals},
};

/// Reports a signal.
pub struct ReportSignal {
    /// The household.
    pub household: HouseholdId,
    /// How it came in.
    pub kind: SignalKind,
    /// What the household is at risk of.
    pub cause: Risk,
    /// Business date.
    pub reported_on: NaiveDate,
}

/// What became of a report.
pub struct Reported {
    /// The signal that rests on it.
    pub signal: Signal,
    /// Whether it was open before.
    pub joined: bool,
}

impl Command for ReportSignal {
    type Policy = Policy;
    type Output = Reported;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Reported, Error> {
        let Self { household, kind, cause, reported_on } = self;
        let origin = match kind {
            SignalKind::SelfReport => Origin::SelfReport,
            SignalKind::Sweep => Origin::Sweep,
            SignalKind::DepartmentWarning | SignalKind::Screening => return Err(SignalRefused::KindWrong.into()),
        };
        policy.check_date("reported_on", reported_on, context)?;
        let region = households::lock_head(conn, household).await?.unmerged()?.region;
        let report = Report { household, region, cause, origin, reported_on };
        let raised = signals::raise(conn, context, &[report]).await?;
        let raised = raised.first().ok_or_else(|| Error::Corrupt("a report that raised nothing".to_owned()))?;
        Ok(Reported { signal: signals::find(conn, raised.signal).await?, joined: raised.joined })
    }
}
