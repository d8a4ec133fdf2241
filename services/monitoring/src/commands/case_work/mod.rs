//! The unit of work of commands about cases. What they need is loaded at once, each is decided in memory, and their
//! changes are written at once. One command or a thousand of them take the same few statements.

mod footprint;
mod loaded;

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike as _, NaiveDate};
use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    register::KnownRegions,
    request::{Command, Context},
};

pub(super) use footprint::Footprint;

use super::Policy;
use crate::{
    domain::{
        CaseId, HouseholdId, MeasureId, SignalId,
        case::{Case, CaseEvent, CaseRefused, CaseRules, Counted, Grounds, HouseholdAsOf, may_be_one, not_before},
        case_file::CaseFile,
        measure::{Measure, MeasureEvent, MeasureRefused, helped_by},
        procedure::Step,
        quality::{self, CaseFacts, Dossier, Person},
    },
    error::{Error, Refused},
    store::{
        case_signals::Waiting, cases, dated_rules::DatedRules, households::Head, measures, profiles, signals,
        standings::Asked,
    },
};

/// The caller's rights beyond taking steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Review for the town.
    pub review: bool,
    /// Approve for the county.
    pub approve: bool,
}

/// A result, and the data-quality rules that it triggered.
pub struct WithWarnings<T> {
    pub became: T,
    /// Numbers of the rules.
    pub warnings: Vec<i32>,
}

/// A change of a case or measure.
pub trait Verb: Send + 'static {
    /// The result for the caller.
    type Answer: Send;

    /// Adds what it needs.
    fn needs(&self, needs: &mut Footprint);

    /// Decides with what was loaded, and keeps its changes here.
    fn decide(self, work: &mut CaseWork<'_>) -> Result<Self::Answer, Error>;
}

/// A verb, with the rights of its caller.
pub struct Authorized<V>(pub V, pub Rights);

impl<V: Verb> Command for Authorized<V> {
    type Policy = Policy;
    type Output = V::Answer;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<V::Answer, Error> {
        let Self(verb, rights) = self;
        let mut needs = Footprint::default();
        verb.needs(&mut needs);
        let mut work = CaseWork::load(conn, (context, policy, rights), needs).await?;
        let answer = verb.decide(&mut work)?;
        work.save(conn).await?;
        Ok(answer)
    }
}

/// The records that commands need, and their changes.
pub struct CaseWork<'a> {
    context: &'a Context,
    policy: &'a Policy,
    rights: Rights,
    heads: HashMap<HouseholdId, Head>,
    /// Where the households live for which a case is opened.
    homes: KnownRegions,
    cases: HashMap<CaseId, Case>,
    of_household: HashMap<HouseholdId, Vec<CaseId>>,
    measures: BTreeMap<MeasureId, Measure>,
    of_case: HashMap<CaseId, Vec<MeasureId>>,
    rules: DatedRules,
    standings: HashMap<Asked, HouseholdAsOf>,
    people: HashMap<HouseholdId, Vec<Person>>,
    signals: HashMap<SignalId, Waiting>,
    changed_cases: Vec<Change<Case, CaseEvent>>,
    changed_measures: Vec<measures::Placed>,
}

impl CaseWork<'_> {
    pub(super) fn check_date(&self, field: &'static str, date: NaiveDate) -> Result<(), Error> {
        self.policy.check_date(field, date, self.context)
    }

    /// The performer of a step: the caller, or another person if the caller may load history.
    pub(super) fn performer(&self, stated: Option<String>) -> Result<String, CaseRefused> {
        let caller = &self.context.actor;
        match stated {
            None => Ok(caller.clone()),
            Some(stated) if may_be_one(&stated, caller) => Ok(caller.clone()),
            Some(stated) if self.context.may_load_history => Ok(stated),
            Some(_) => Err(CaseRefused::PerformerNotAllowed),
        }
    }

    /// Checks the separate permissions for the town's review and the county's approval.
    pub(super) fn may_take(&self, step: Step) -> Result<(), CaseRefused> {
        let (allowed, permission) = match step {
            Step::TownReview => (self.rights.review, "monitoring.case.review"),
            Step::CountyApproval => (self.rights.approve, "monitoring.case.approve"),
            Step::Authorisation
            | Step::HomeVerification
            | Step::DataComparison
            | Step::DemocraticReview
            | Step::NoticePosted
            | Step::NoticeEnded => return Ok(()),
        };
        if allowed { Ok(()) } else { Err(CaseRefused::StepNotAllowed { step, permission }) }
    }

    /// A household, unless it was merged into another.
    pub(super) fn head(&self, id: HouseholdId) -> Result<Head, Error> {
        self.heads.get(&id).cloned().ok_or(Refused::HouseholdNotFound(id))?.unmerged()
    }

    /// A case, unless its household was merged into another.
    pub(super) fn case(&self, id: CaseId) -> Result<Case, Error> {
        let case = self.cases.get(&id).ok_or(CaseRefused::NotFound(id))?;
        self.head(case.household)?;
        Ok(case.clone())
    }

    /// Checks that the household already lived in its region on a day.
    pub(super) fn check_home(&self, household: HouseholdId, field: &'static str, day: NaiveDate) -> Result<(), Error> {
        Ok(not_before(field, day, self.head(household)?.moved_on)?)
    }

    /// Makes sure that a case may be opened where the household lives.
    pub(super) fn check_open(&self, head: &Head, day: NaiveDate) -> Result<(), Error> {
        self.homes.open_on(head.region, day).map_err(|refused| Error::from(refused).at("household_id"))
    }

    pub(super) fn has_case(&self, id: CaseId) -> bool {
        self.cases.contains_key(&id)
    }

    pub(super) fn cases_of(&self, household: HouseholdId) -> Vec<&Case> {
        self.of_household.get(&household).into_iter().flatten().filter_map(|id| self.cases.get(id)).collect()
    }

    pub(super) fn measure(&self, id: MeasureId) -> Result<Measure, MeasureRefused> {
        self.measures.get(&id).cloned().ok_or(MeasureRefused::NotFound(id))
    }

    pub(super) fn has_measure(&self, id: MeasureId) -> bool {
        self.measures.contains_key(&id)
    }

    pub(super) fn case_of(&self, measure: MeasureId) -> Option<CaseId> {
        self.measures.get(&measure).map(|measure| measure.case)
    }

    fn measures_of(&self, case: CaseId) -> impl Iterator<Item = &Measure> {
        self.of_case.get(&case).into_iter().flatten().filter_map(|id| self.measures.get(id))
    }

    /// The rules in force for a household on a day.
    pub(super) fn rules_in_force(&self, head: &Head, day: NaiveDate) -> Result<&CaseRules, CaseRefused> {
        self.rules.in_force(head.region, day).ok_or(CaseRefused::RuleSetMissing)
    }

    /// The rules for a case on a day.
    pub(super) fn rules_of(&self, case: &Case, day: NaiveDate) -> Result<&CaseRules, CaseRefused> {
        self.rules.of_case(case.rule_set, case.region, day).ok_or(CaseRefused::RuleSetMissing)
    }

    pub(super) fn standing(&self, household: HouseholdId, day: NaiveDate) -> Option<&HouseholdAsOf> {
        self.standings.get(&(household, day))
    }

    /// The facts that decide whether the household of a case may leave on a day.
    pub(super) fn grounds(&self, case: &Case, day: NaiveDate) -> Option<Grounds> {
        let standing = self.standing(case.household, day)?;
        let helped = helped_by(self.measures_of(case.id), day);
        Some(self.rules_of(case, day).ok()?.grounds(standing, helped, day))
    }

    /// Numbers of the data-quality rules that warn of a case, and of one of its measures, after a change on a day.
    /// Fails if a rule refuses it.
    pub(super) fn doubts(&self, case: &Case, changed: Option<&Measure>, day: NaiveDate) -> Result<Vec<i32>, Error> {
        let Some(standing) = self.standing(case.household, day) else { return Ok(Vec::new()) };
        let is_changed = |measure: &&Measure| changed.is_some_and(|changed| changed.id == measure.id);
        let measures = self.measures_of(case.id).filter(|measure| !is_changed(measure)).chain(changed);
        let newest = standing.profile.as_ref().map(|profile| profile.newest.clone());
        let rules = self.rules_of(case, day).ok();
        let line = newest.as_ref().and_then(|newest| rules?.line(newest.window_ends_on.year()));
        let dossier = Dossier {
            members: self.people.get(&case.household).cloned().unwrap_or_default(),
            newest,
            line,
            ..Dossier::of_case(standing.known, CaseFacts::of(case, measures), day)
        };
        Ok(quality::of_case(&dossier).accept()?)
    }

    pub(super) fn waiting(&self, signal: SignalId) -> Option<Waiting> {
        self.signals.get(&signal).copied()
    }

    /// The signals of a household without a case that were verified by a day.
    pub(super) fn waiting_for_case(&self, household: HouseholdId, day: NaiveDate) -> Vec<SignalId> {
        let is_meant = |signal: &Waiting| {
            signal.household == household && signal.for_case && signal.decided_on.is_some_and(|on| on <= day)
        };
        let mut ids: Vec<_> = self.signals.iter().filter(|(_, signal)| is_meant(signal)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Reserves signals for a case, so that no other case is opened for them.
    pub(super) fn give_away(&mut self, signals: &[SignalId]) {
        for id in signals {
            self.signals.entry(*id).and_modify(|signal| signal.for_case = false);
        }
    }

    /// Adds the change of a case.
    pub(super) fn keep(&mut self, change: Change<Case, CaseEvent>) -> CaseFile {
        let case = change.state.clone();
        if self.cases.insert(case.id, case.clone()).is_none() {
            self.of_household.entry(case.household).or_default().push(case.id);
        }
        self.changed_cases.push(change);
        let mut measures: Vec<Measure> = self.measures_of(case.id).cloned().collect();
        measures.sort_by_key(|measure| (measure.stated.planned_on, measure.id));
        CaseFile { case, measures }
    }

    /// Adds the change of a measure.
    pub(super) fn keep_measure(&mut self, case: &Case, change: Change<Measure, MeasureEvent>) -> Measure {
        let measure = change.state.clone();
        if self.measures.insert(measure.id, measure.clone()).is_none() {
            self.of_case.entry(case.id).or_default().push(measure.id);
        }
        self.changed_measures.push((change, case.region));
        measure
    }

    /// Writes all changes.
    pub(super) async fn save(self, conn: &mut PgConnection) -> Result<(), Error> {
        cases::save(conn, self.context, &self.changed_cases).await?;
        measures::save(conn, self.context, &self.changed_measures).await?;
        for Change { state: case, events } in &self.changed_cases {
            for event in events {
                follow(conn, self.context, case, event).await?;
            }
        }
        Ok(())
    }
}

/// Effects of a case's event elsewhere.
async fn follow(conn: &mut PgConnection, context: &Context, case: &Case, event: &CaseEvent) -> Result<(), Error> {
    match event {
        CaseEvent::Opened if !case.signals.is_empty() => {
            signals::take_for_case(conn, context, &case.signals, case.id).await?;
        }
        CaseEvent::Counted(count) if count.counted == Counted::UnderMonitoring => {
            profiles::set_monitored(conn, case.household, count.change > 0).await?;
        }
        CaseEvent::Counted(count) if count.counted == Counted::Identified && !case.signals.is_empty() => {
            signals::identified(conn, context, case.id, count.on).await?;
        }
        CaseEvent::Opened
        | CaseEvent::StepRecorded { .. }
        | CaseEvent::RemovalProposed { .. }
        | CaseEvent::RemovalRolledBack { .. }
        | CaseEvent::Counted(_) => {}
    }
    Ok(())
}
