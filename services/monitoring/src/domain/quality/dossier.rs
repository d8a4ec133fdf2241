//! The inputs of data-quality rules.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate};

use crate::domain::{
    case::{Case, RemovalKind, Stage},
    household::{Household, SocialSupport},
    measure::{Measure, MeasureDraft, MeasureFamily, MeasureState},
    member::{Insurance, LabourAbility, Member, Relation, Schooling, Sex, Work, full_years},
    procedure::Step,
    profile::{Circumstances, Composition, Newest, Profile},
    risk::Risk,
};

use super::numbers::Numbers;

/// All that rules need of a household on a day. Missing data violates no rule.
#[derive(Debug, Clone)]
pub struct Dossier {
    pub today: NaiveDate,
    /// First day on which it could have been observed; `None` if its observations are not loaded.
    pub observable_since: Option<NaiveDate>,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
    /// Present members; empty if they are not loaded.
    pub members: Vec<Person>,
    pub composition: Composition,
    /// Number of members who are also registered in another household.
    pub registered_twice: usize,
    /// Number of ID numbers that begin with an unknown or retired place; 0 if they are not loaded.
    pub places_unknown: usize,
    /// What spreadsheets and typing errors did to numbers that are sealed; nothing if they are not loaded.
    pub numbers: Numbers,
    pub newest: Option<Newest>,
    /// Monitoring line of the newest observation's year, in fen.
    pub line: Option<i64>,
    /// The newest one.
    pub case: Option<CaseFacts>,
}

/// A member without sealed data.
#[derive(Debug, Clone)]
pub struct Person {
    pub relation: Relation,
    pub sex: Sex,
    pub birth_date: NaiveDate,
    pub labour: LabourAbility,
    pub schooling: Schooling,
    pub insurances: BTreeSet<Insurance>,
    pub work: Work,
    /// In the past 12, 0 to 12.
    pub work_months: i16,
}

/// A case, as far as rules need it.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    /// Code of its category.
    pub category: String,
    pub risks: Vec<Risk>,
    pub identified_on: Option<NaiveDate>,
    pub removed_on: Option<NaiveDate>,
    /// Whether the household leaves, or left, by assistance.
    pub assisted: bool,
    /// Whether the household signed the authorisation.
    pub authorised: bool,
    /// Due date of the next step.
    pub next_due_on: Option<NaiveDate>,
    /// Without cancelled ones.
    pub measures: Vec<MeasureFile>,
}

/// A measure, as far as rules need it.
#[derive(Debug, Clone, Copy)]
pub struct MeasureFile {
    pub risk: Risk,
    pub family: MeasureFamily,
    pub due_on: NaiveDate,
    pub done_on: Option<NaiveDate>,
}

impl Dossier {
    /// For the entry of a household.
    #[must_use]
    pub fn of_household(household: &Household, today: NaiveDate) -> Self {
        Self {
            today,
            observable_since: None,
            lifted_from_poverty: household.lifted_from_poverty,
            support: household.support,
            members: household.present().map(Person::from).collect(),
            composition: Composition::of(household, today),
            registered_twice: 0,
            places_unknown: household.present().filter(|member| !member.is_place_known()).count(),
            numbers: Numbers::of(household),
            newest: None,
            line: None,
            case: None,
        }
    }

    /// For the entry of an observation, with the line of its year in fen. The caller adds members and case if they are
    /// known.
    #[must_use]
    pub fn of_profile(profile: &Profile, line: Option<i64>, today: NaiveDate) -> Self {
        Self {
            today,
            observable_since: None,
            lifted_from_poverty: profile.lifted_from_poverty,
            support: profile.support,
            members: Vec::new(),
            composition: profile.composition,
            registered_twice: 0,
            places_unknown: 0,
            numbers: Numbers::default(),
            newest: Some(profile.newest.clone()),
            line,
            case: profile.monitored.then(|| CaseFacts::under_monitoring(today)),
        }
    }

    /// For an entry about a case, on a day.
    #[must_use]
    pub fn of_case(known: Circumstances, case: Option<CaseFacts>, day: NaiveDate) -> Self {
        Self {
            today: day,
            observable_since: None,
            lifted_from_poverty: known.lifted_from_poverty,
            support: known.support,
            members: Vec::new(),
            composition: known.composition,
            registered_twice: 0,
            places_unknown: 0,
            numbers: Numbers::default(),
            newest: None,
            line: None,
            case,
        }
    }

    /// Members with this relation to the head.
    pub(super) fn related(&self, relation: Relation) -> impl Iterator<Item = &Person> {
        self.members.iter().filter(move |person| person.relation == relation)
    }

    pub(super) fn head(&self) -> Option<&Person> {
        self.related(Relation::Head).next()
    }

    /// Whether a condition holds for some member and its age.
    pub(super) fn any(&self, holds: impl Fn(&Person, i32) -> bool) -> bool {
        self.members.iter().any(|person| holds(person, person.age_on(self.today)))
    }

    /// Whether a condition holds for the newest observation; false without one.
    pub(super) fn observed(&self, holds: impl Fn(&Newest) -> bool) -> bool {
        self.newest.as_ref().is_some_and(holds)
    }

    /// Whether a condition holds for the newest case; false without one.
    pub(super) fn in_case(&self, holds: impl Fn(&CaseFacts) -> bool) -> bool {
        self.case.as_ref().is_some_and(holds)
    }

    /// Whether it is or was under monitoring, or on the way to it.
    pub(super) fn is_known(&self) -> bool {
        self.in_case(|case| case.identified_on.is_some() || case.next_due_on.is_some())
    }

    /// Whether it was removed from monitoring and is not under monitoring again.
    pub(super) fn is_removed(&self) -> bool {
        self.in_case(|case| case.removed_on.is_some())
    }

    /// Whether the income of the newest observation is below the line.
    pub(super) fn is_below_line(&self) -> bool {
        let below = |newest: &Newest| self.line.is_some_and(|line| newest.per_capita_net_income < line);
        self.observed(below)
    }

    pub(super) fn months_ago(&self, months: u32) -> NaiveDate {
        self.today.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN)
    }

    pub(super) fn days_ago(&self, days: u64) -> NaiveDate {
        self.today.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
    }
}

impl Person {
    /// In full years; negative before birth.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> i32 {
        full_years(self.birth_date, day)
    }

    /// Whether it works for wages.
    pub(super) fn has_job(&self) -> bool {
        matches!(self.work, Work::JobInCounty | Work::JobInProvince | Work::JobElsewhere | Work::PublicServicePost)
    }

    /// Whether it goes to school, from primary school to college.
    pub(super) fn is_at_school(&self) -> bool {
        matches!(
            self.schooling,
            Schooling::Primary | Schooling::Junior | Schooling::Senior | Schooling::Vocational | Schooling::College
        )
    }

    /// Whether it is recorded as fully able to work.
    pub(super) fn is_able_bodied(&self) -> bool {
        matches!(self.labour, LabourAbility::Ordinary | LabourAbility::Skilled)
    }
}

impl From<&Member> for Person {
    fn from(member: &Member) -> Self {
        Self {
            relation: member.relation,
            sex: member.sex,
            birth_date: member.birth_date,
            labour: member.labour,
            schooling: member.schooling,
            insurances: member.insurances.clone(),
            work: member.work,
            work_months: member.work_months,
        }
    }
}

impl From<&Measure> for MeasureFile {
    fn from(measure: &Measure) -> Self {
        let MeasureDraft { risk, family, due_on, .. } = measure.stated;
        Self { risk, family, due_on, done_on: measure.done_on() }
    }
}

impl CaseFacts {
    /// A case of which only this is known: the household is under monitoring.
    fn under_monitoring(today: NaiveDate) -> Self {
        Self {
            category: String::new(),
            risks: Vec::new(),
            identified_on: Some(today),
            removed_on: None,
            assisted: false,
            authorised: true,
            next_due_on: None,
            measures: Vec::new(),
        }
    }

    /// `None` for a refused case, which led to nothing.
    #[must_use]
    pub fn of<'a>(case: &Case, measures: impl IntoIterator<Item = &'a Measure>) -> Option<Self> {
        if case.stage == Stage::Refused {
            return None;
        }
        let kept = measures.into_iter().filter(|measure| !matches!(measure.state, MeasureState::Cancelled(_)));
        Some(Self {
            category: case.category.clone(),
            risks: case.risks.clone(),
            identified_on: case.stage.identified_on(),
            removed_on: case.stage.removed_on(),
            assisted: case.stage.removal().is_some_and(|removal| removal.kind == RemovalKind::Assisted),
            authorised: case.history.has_passed(Step::Authorisation),
            next_due_on: case.stage.next().map(|next| next.on),
            measures: kept.map(MeasureFile::from).collect(),
        })
    }

    #[must_use]
    pub fn is_monitored(&self) -> bool {
        self.identified_on.is_some() && self.removed_on.is_none()
    }

    /// Measures that were done, with the day.
    pub(super) fn done(&self) -> impl Iterator<Item = (&MeasureFile, NaiveDate)> {
        self.measures.iter().filter_map(|measure| Some((measure, measure.done_on?)))
    }

    /// Whether a measure of a family was done before a day.
    pub(super) fn has_done(&self, family: MeasureFamily, before: NaiveDate) -> bool {
        self.done().any(|(measure, done_on)| measure.family == family && done_on < before)
    }
}
