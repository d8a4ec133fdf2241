//! Rule sets, verdicts and holidays.

use chrono::NaiveDate;
use tongxin_platform::{
    clock::timestamp,
    region::{Level, RegionCode},
    register::RegionRefused,
};
use tongxin_proto::monitoring::v1;

use super::{date, named, optional_date, optional_region, region, uuid};
use crate::{
    commands::{DaysStated, Part, SetHolidays},
    domain::{
        RuleSetId, VerdictId,
        holiday::Holiday,
        procedure::{DayKind, Step},
        rule_set::{Category, Deadline, Line, Removal, RuleSet, RuleSetDraft, ScreeningRule},
        screening::{Hit, Tally},
        verdict::Verdict,
    },
    error::{Error, Refused},
};

pub(in crate::grpc) fn rule_set_id(text: &str) -> Result<RuleSetId, Error> {
    uuid("rule_set_id", text).map(RuleSetId)
}

pub(in crate::grpc) fn verdict_id(text: &str) -> Result<VerdictId, Error> {
    uuid("verdict_id", text).map(VerdictId)
}

/// The contract bounds these numbers, from 0 on.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl TryFrom<v1::RuleSetDraft> for RuleSetDraft {
    type Error = Error;

    fn try_from(stated: v1::RuleSetDraft) -> Result<Self, Error> {
        let removal = stated.removal.ok_or_else(|| Error::field("rule_set.removal", "is required"))?;
        Ok(Self {
            name: stated.name,
            region: region("rule_set.region_code", &stated.region_code)?,
            effective_from: date("rule_set.effective_from", stated.effective_from)?,
            effective_until: optional_date("rule_set.effective_until", stated.effective_until)?,
            lines: stated.lines.iter().map(|line| Line { year: line.year, fen: line.line_fen }).collect(),
            categories: stated.categories.into_iter().map(Category::from).collect(),
            deadlines: stated.deadlines.into_iter().map(Deadline::try_from).collect::<Result<_, _>>()?,
            notice_min_days: count(stated.notice_min_days),
            removal: Removal {
                min_months: count(removal.min_months),
                stable_months: count(removal.stable_months),
                condition: removal.condition,
            },
            rules: stated.rules.into_iter().map(ScreeningRule::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<v1::Category> for Category {
    fn from(stated: v1::Category) -> Self {
        Self { code: stated.code, name: stated.name, condition: stated.condition }
    }
}

impl TryFrom<v1::StepDeadline> for Deadline {
    type Error = Error;

    fn try_from(stated: v1::StepDeadline) -> Result<Self, Error> {
        Ok(Self {
            step: named::<Step>("rule_set.deadlines.step", stated.step)?,
            days: count(stated.days),
            kind: named::<DayKind>("rule_set.deadlines.kind", stated.kind)?,
            emergency_days: count(stated.emergency_days),
        })
    }
}

impl TryFrom<v1::ScreeningRule> for ScreeningRule {
    type Error = Error;

    fn try_from(stated: v1::ScreeningRule) -> Result<Self, Error> {
        Ok(Self {
            number: stated.number,
            name: stated.name,
            cause: named("rule_set.rules.cause", stated.cause)?,
            expression: stated.expression,
            message: stated.message,
        })
    }
}

impl From<RuleSetDraft> for v1::RuleSetDraft {
    fn from(draft: RuleSetDraft) -> Self {
        Self {
            name: draft.name,
            region_code: draft.region.to_string(),
            effective_from: Some(draft.effective_from.into()),
            effective_until: draft.effective_until.map(Into::into),
            lines: draft.lines.iter().map(|line| v1::MonitoringLine { year: line.year, line_fen: line.fen }).collect(),
            categories: super::all(draft.categories),
            deadlines: super::all(draft.deadlines),
            notice_min_days: number(draft.notice_min_days),
            removal: Some(v1::RemovalConditions {
                min_months: number(draft.removal.min_months),
                stable_months: number(draft.removal.stable_months),
                condition: draft.removal.condition,
            }),
            rules: super::all(draft.rules),
        }
    }
}

impl From<Category> for v1::Category {
    fn from(category: Category) -> Self {
        Self { code: category.code, name: category.name, condition: category.condition }
    }
}

impl From<Deadline> for v1::StepDeadline {
    fn from(deadline: Deadline) -> Self {
        Self {
            step: v1::Step::from(deadline.step).into(),
            days: number(deadline.days),
            kind: v1::DayKind::from(deadline.kind).into(),
            emergency_days: number(deadline.emergency_days),
        }
    }
}

impl From<ScreeningRule> for v1::ScreeningRule {
    fn from(rule: ScreeningRule) -> Self {
        Self {
            number: rule.number,
            name: rule.name,
            cause: v1::Risk::from(rule.cause).into(),
            expression: rule.expression,
            message: rule.message,
        }
    }
}

impl From<RuleSet> for v1::RuleSet {
    fn from(rule_set: RuleSet) -> Self {
        Self {
            rule_set_id: rule_set.id.to_string(),
            stated: Some(RuleSetDraft::clone(&rule_set).into()),
            record_time: Some(timestamp(rule_set.record_time)),
        }
    }
}

impl From<Verdict> for v1::Verdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict_id: verdict.id.to_string(),
            household_id: verdict.household.to_string(),
            rule_set_id: verdict.rule_set.to_string(),
            rule_number: verdict.rule_number,
            hit: true,
            message: verdict.message,
            inputs: verdict.inputs.into_iter().collect(),
            screened_on: Some(verdict.screened_on.into()),
        }
    }
}

/// A hit of a simulation, which is not stored.
fn example(hit: Hit, day: NaiveDate) -> v1::Verdict {
    v1::Verdict {
        verdict_id: String::new(),
        household_id: hit.household.to_string(),
        rule_set_id: String::new(),
        rule_number: hit.rule_number,
        hit: true,
        message: hit.message,
        inputs: hit.inputs.into_iter().collect(),
        screened_on: Some(day.into()),
    }
}

/// Evaluates a rule again on the inputs of a verdict.
pub(in crate::grpc) fn replay(given: Verdict, says: Option<String>) -> v1::ReplayVerdictResponse {
    let same = says.as_ref() == Some(&given.message);
    let given = v1::Verdict::from(given);
    let replayed = v1::Verdict { hit: says.is_some(), message: says.unwrap_or_default(), ..given.clone() };
    v1::ReplayVerdictResponse { given: Some(given), replayed: Some(replayed), same }
}

impl From<&Tally> for v1::ScreeningCount {
    fn from(tally: &Tally) -> Self {
        Self {
            households: tally.households,
            flagged: tally.flagged,
            signals: 0,
            hits: tally.hits.iter().map(|(number, hits)| (*number, *hits)).collect(),
            faults: tally.faults,
        }
    }
}

impl TryFrom<v1::SetHolidaysRequest> for SetHolidays {
    type Error = Error;

    fn try_from(request: v1::SetHolidaysRequest) -> Result<Self, Error> {
        let read = |stated: v1::Holiday| {
            Ok(Holiday { day: date("holidays.day", stated.day)?, worked: stated.worked, name: stated.name })
        };
        let holidays = request.holidays.into_iter().map(read).collect::<Result<_, Error>>()?;
        let province = optional_region("region_code", &request.region_code)?;
        Ok(Self { province, year: request.year, holidays })
    }
}

/// The province of the region in the request, or else of the caller's.
pub(in crate::grpc) fn province(named: &str, of_caller: RegionCode) -> Result<RegionCode, Error> {
    let asked = optional_region("region_code", named)?.unwrap_or(of_caller);
    let province = asked.at(Level::Province).ok_or_else(|| Refused::RegionLevelWrong(asked.to_string()))?;
    if province.contains(of_caller) || of_caller.contains(province) {
        Ok(province)
    } else {
        Err(RegionRefused::NotFound(asked).into())
    }
}

impl From<DaysStated> for v1::SetHolidaysResponse {
    fn from(stated: DaysStated) -> Self {
        Self { days: i32::try_from(stated.0).unwrap_or(i32::MAX) }
    }
}

impl From<Holiday> for v1::Holiday {
    fn from(holiday: Holiday) -> Self {
        Self { day: Some(holiday.day.into()), worked: holiday.worked, name: holiday.name }
    }
}

/// Results of a simulation so far.
#[derive(Debug, Default)]
pub(in crate::grpc) struct Simulated {
    pub tally: Tally,
    pub newly_flagged: i64,
    pub no_longer_flagged: i64,
    pub examples: Vec<Hit>,
}

impl Simulated {
    pub fn add(&mut self, part: Part) {
        self.tally.add(&part.tally);
        self.newly_flagged += part.newly_flagged;
        self.no_longer_flagged += part.no_longer_flagged;
        self.examples.extend(part.hits);
    }

    pub fn progress(&self) -> v1::SimulateRuleSetResponse {
        v1::SimulateRuleSetResponse {
            count: Some((&self.tally).into()),
            newly_flagged: self.newly_flagged,
            no_longer_flagged: self.no_longer_flagged,
            examples: Vec::new(),
            done: false,
        }
    }

    pub fn result(self, day: NaiveDate) -> v1::SimulateRuleSetResponse {
        let last = self.progress();
        let examples = self.examples.into_iter().map(|hit| example(hit, day)).collect();
        v1::SimulateRuleSetResponse { examples, done: true, ..last }
    }
}
