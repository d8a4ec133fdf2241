//! Carries out many commands about cases, in order.

use std::collections::HashSet;

use sqlx::PgConnection;
use tongxin_platform::request::{
    Command, Context,
    batch::{Done, Outcomes},
};

use super::{
    FinishMeasure, OpenCase, PlanMeasure, Policy, ProposeRemoval, RecordStep, Rights,
    case_work::{CaseWork, Footprint, Verb},
};
use crate::{
    domain::{CaseId, MeasureId, case::CaseRefused},
    error::{Error, Refused},
};

/// One command of a batch.
pub enum CaseCommand {
    Open(OpenCase),
    Step(RecordStep),
    Propose(ProposeRemoval),
    Plan(PlanMeasure),
    Finish(FinishMeasure),
}

impl CaseCommand {
    fn needs(&self, needs: &mut Footprint) {
        match self {
            Self::Open(verb) => verb.needs(needs),
            Self::Step(verb) => verb.needs(needs),
            Self::Propose(verb) => verb.needs(needs),
            Self::Plan(verb) => verb.needs(needs),
            Self::Finish(verb) => verb.needs(needs),
        }
    }

    /// Numbers of the data-quality rules that warn of the result.
    fn decide(self, work: &mut CaseWork<'_>) -> Result<Vec<i32>, Error> {
        match self {
            Self::Open(verb) => verb.decide(work).map(|opened| opened.warnings),
            Self::Step(verb) => verb.decide(work).map(|stepped| stepped.warnings),
            Self::Propose(verb) => verb.decide(work).map(|_| Vec::new()),
            Self::Plan(verb) => verb.decide(work).map(|planned| planned.warnings),
            Self::Finish(verb) => verb.decide(work).map(|finished| finished.warnings),
        }
    }
}

/// The subject of a row, as far as it could be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct About {
    pub case: Option<CaseId>,
    pub measure: Option<MeasureId>,
}

/// A row of a batch: a command, or why it cannot be parsed.
pub struct Row {
    pub about: About,
    pub command: Result<CaseCommand, Error>,
}

/// Cases and measures of which a command failed.
#[derive(Debug, Clone, Default)]
pub struct Failed {
    cases: HashSet<CaseId>,
    measures: HashSet<MeasureId>,
}

impl Failed {
    /// Adds the subject of a failed row.
    pub fn add(&mut self, about: About) {
        self.cases.extend(about.case);
        self.measures.extend(about.measure);
    }

    fn contains(&self, about: About) -> bool {
        about.case.is_some_and(|case| self.cases.contains(&case))
            || about.measure.is_some_and(|measure| self.measures.contains(&measure))
    }
}

/// Carries out some commands, in order.
pub struct BatchCaseCommands {
    pub rows: Vec<Row>,
    /// What failed in earlier messages of the batch.
    pub failed: Failed,
    /// Number of the first row in the batch, from 1.
    pub first_row: i64,
    /// Whether one refused row refuses all.
    pub all_or_nothing: bool,
    /// What the caller may do.
    pub rights: Rights,
}

impl Command for BatchCaseCommands {
    type Policy = Policy;
    type Output = Outcomes<Refused>;
    type Error = Error;

    async fn apply(
        self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &Policy,
    ) -> Result<Outcomes<Refused>, Error> {
        let mut needs = Footprint::default();
        self.rows.iter().flat_map(|row| &row.command).for_each(|command| command.needs(&mut needs));
        self.failed.measures.iter().for_each(|measure| needs.measure(*measure));
        let mut work = CaseWork::load(conn, (context, policy, self.rights), needs).await?;

        let mut failed = self.failed;
        failed.cases.extend(failed.measures.iter().filter_map(|measure| work.case_of(*measure)));
        let mut outcomes = Vec::with_capacity(self.rows.len());
        for (number, row) in (self.first_row..).zip(self.rows) {
            let outcome = decide(row, &mut work, &mut failed);
            if self.all_or_nothing
                && let Err(error) = &outcome
            {
                return Err(error.of_batch(number));
            }
            outcomes.push(outcome);
        }
        work.save(conn).await?;
        Ok(Outcomes::of(outcomes, |warnings| Done { warnings, ..Done::default() }))
    }
}

fn decide(row: Row, work: &mut CaseWork<'_>, failed: &mut Failed) -> Result<Vec<i32>, Error> {
    let case = row.about.case.or_else(|| work.case_of(row.about.measure?));
    let about = About { case, ..row.about };
    let outcome = match row.command {
        Ok(_) if failed.contains(about) => Err(CaseRefused::FailedBefore.into()),
        Ok(command) => command.decide(work),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        failed.add(about);
    }
    outcome
}
