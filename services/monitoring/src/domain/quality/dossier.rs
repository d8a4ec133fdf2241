//! All that rules ask of a household, on a day.

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

/// All that rules ask of a household, on a day. Rules do not mind what is missing.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The day.
    pub today: NaiveDate,
    /// Day since which it could have been observed; `None` where its observations are not known.
    pub observable_since: Option<NaiveDate>,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Members who belong to it; empty where they are not known.
    pub members: Vec<Person>,
    /// The same in numbers.
    pub composition: Composition,
    /// How many members are registered in another household as well.
    pub registered_twice: usize,
    /// How many ID numbers begin with a place that is unknown or retired; 0 where they are not known.
    pub places_unknown: usize,
    /// Its newest observation.
    pub newest: Option<Newest>,
    /// The monitoring line of that observation's year, in fen.
    pub line: Option<i64>,
    /// Its newest case.
    pub case: Option<CaseFacts>,
}

/// What rules ask of a member: nothing that is sealed.
#[derive(Debug, Clone)]
pub struct Person {
    /// Relation to the head.
    pub relation: Relation,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth_date: NaiveDate,
    /// Ability to work.
    pub labour: LabourAbility,
    /// School.
    pub schooling: Schooling,
    /// Insurances.
    pub insurances: BTreeSet<Insurance>,
    /// Work.
    pub work: Work,
    /// Months worked in the past 12, 0 to 12.
    pub work_months: i16,
}

/// What rules ask of a case.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    /// Code of its category.
    pub category: String,
    /// What the household is at risk of.
    pub risks: Vec<Risk>,
    /// Day of identification.
    pub identified_on: Option<NaiveDate>,
    /// Day of removal.
    pub removed_on: Option<NaiveDate>,
    /// Whether the household leaves, or left, by assistance.
    pub assisted: bool,
    /// Whether it signed the authorisation.
    pub authorised: bool,
    /// Day by which the next step is due.
    pub next_due_on: Option<NaiveDate>,
    /// Its measures that were not given up.
    pub measures: Vec<MeasureFile>,
}

/// What rules ask of a measure.
#[derive(Debug, Clone, Copy)]
pub struct MeasureFile {
    /// The risk that it is against.
    pub risk: Risk,
    /// Its family.
    pub family: MeasureFamily,
    /// Day by which it is due.
    pub due_on: NaiveDate,
    /// Day on which it was done.
    pub done_on: Option<NaiveDate>,
}

impl Dossier {
    /// A household by itself, as it is entered.
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
            newest: None,
            line: None,
            case: None,
        }
    }

    /// A household by its numbers, as an observation of it is entered, with the line of the observation's year in
    /// fen. Whoever knows its members and its case adds them.
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
            newest: Some(profile.newest.clone()),
            line,
            case: profile.monitored.then(|| CaseFacts::under_monitoring(today)),
        }
    }

    /// A household by its numbers, as something of its case is entered on a day.
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
            newest: None,
            line: None,
            case,
        }
    }

    /// Members with a relation to the head.
    pub(super) fn related(&self, relation: Relation) -> impl Iterator<Item = &Person> {
        self.members.iter().filter(move |person| person.relation == relation)
    }

    /// The head, if there is one.
    pub(super) fn head(&self) -> Option<&Person> {
        self.related(Relation::Head).next()
    }

    /// Whether something holds for a member of its age.
    pub(super) fn any(&self, holds: impl Fn(&Person, i32) -> bool) -> bool {
        self.members.iter().any(|person| holds(person, person.age_on(self.today)))
    }

    /// Whether something holds for the newest observation, if there is one.
    pub(super) fn observed(&self, holds: impl Fn(&Newest) -> bool) -> bool {
        self.newest.as_ref().is_some_and(holds)
    }

    /// Whether something holds for the newest case, if there is one.
    pub(super) fn in_case(&self, holds: impl Fn(&CaseFacts) -> bool) -> bool {
        self.case.as_ref().is_some_and(holds)
    }

    /// Whether it is or was under monitoring, or on the way to it.
    pub(super) fn is_known(&self) -> bool {
        self.in_case(|case| case.identified_on.is_some() || case.next_due_on.is_some())
    }

    /// Whether it was removed from monitoring, and is not under it again.
    pub(super) fn is_removed(&self) -> bool {
        self.in_case(|case| case.removed_on.is_some())
    }

    /// Whether income by the newest observation is below the line.
    pub(super) fn is_below_line(&self) -> bool {
        let below = |newest: &Newest| self.line.is_some_and(|line| newest.per_capita_net_income < line);
        self.observed(below)
    }

    /// The day some months ago.
    pub(super) fn months_ago(&self, months: u32) -> NaiveDate {
        self.today.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN)
    }

    /// The day some days ago.
    pub(super) fn days_ago(&self, days: u64) -> NaiveDate {
        self.today.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
    }
}

impl Person {
    /// Full years of age on a day; negative before birth.
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

    /// Whether it is stated to have all its strength.
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
    /// A case of which no more is known than that the household is under monitoring.
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

    /// What rules ask of a case with its measures; `None` of one that was refused, which led to nothing.
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

    /// Whether the household is under monitoring.
    #[must_use]
    pub fn is_monitored(&self) -> bool {
        self.identified_on.is_some() && self.removed_on.is_none()
    }

    /// Measures that were done.
    pub(super) fn done(&self) -> impl Iterator<Item = (&MeasureFile, NaiveDate)> {
        self.measures.iter().filter_map(|measure| Some((measure, measure.done_on?)))
    }

    /// Whether there is a measure of a family that was done before a day.
    pub(super) fn has_done(&self, family: MeasureFamily, before: NaiveDate) -> bool {
        self.done().any(|(measure, done_on)| measure.family == family && done_on < before)
    }
}
