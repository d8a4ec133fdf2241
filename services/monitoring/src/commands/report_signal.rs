//! Reports a signal by people.

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
    pub household: HouseholdId,
    pub kind: SignalKind,
    /// The risk.
    pub cause: Risk,
    pub reported_on: NaiveDate,
}

/// The outcome of a report.
pub struct Reported {
    /// The signal that it raised or joined.
    pub signal: Signal,
    /// Whether the signal was open before.
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
