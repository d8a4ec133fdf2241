//! Inputs of expressions: the field values of one household.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Field, FieldSet, Flag, Number, Word};
use crate::domain::{household::SocialSupport, observation::HousingGrade, profile::Profile, risk::Risk};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    numbers: [i64; Number::ALL.len()],
    flags: [bool; Flag::ALL.len()],
    housing_grade: HousingGrade,
    support: SocialSupport,
    /// One bit per risk.
    shocks: u16,
}

/// A stored value that its field cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no value that it can have")]
pub struct NotAnInput(String);

impl Inputs {
    /// With the monitoring line in fen.
    #[must_use]
    pub fn of(profile: &Profile, line_fen: i64) -> Self {
        Self {
            numbers: std::array::from_fn(|index| number(profile, Number::ALL[index], line_fen)),
            flags: std::array::from_fn(|index| flag(profile, Flag::ALL[index])),
            housing_grade: profile.newest.housing_grade,
            support: profile.support,
            shocks: bits(&profile.newest.shocks),
        }
    }

    pub(super) fn number(&self, number: Number) -> i64 {
        self.numbers[number.index()]
    }

    pub(super) fn flag(&self, flag: Flag) -> bool {
        self.flags[flag.index()]
    }

    pub(super) fn word(&self, word: Word) -> &'static str {
        match word {
            Word::HousingGrade => self.housing_grade.name(),
            Word::Support => self.support.name(),
        }
    }

    pub(super) fn is_hit_by(&self, risk: Risk) -> bool {
        self.shocks & (1 << risk.index()) != 0
    }

    pub(super) fn shocks(&self) -> impl Iterator<Item = Risk> {
        Risk::ALL.iter().copied().filter(|risk| self.is_hit_by(*risk))
    }

    /// Names and values of some fields, the values as CEL literals.
    #[must_use]
    pub fn literals(&self, fields: FieldSet) -> BTreeMap<String, String> {
        fields.iter().map(|field| (field.name().to_owned(), self.literal(field))).collect()
    }

    fn literal(&self, field: Field) -> String {
        match field {
            Field::Number(number) => self.number(number).to_string(),
            Field::Flag(flag) => self.flag(flag).to_string(),
            Field::Word(word) => format!("{:?}", self.word(word)),
            Field::Shocks => format!("{:?}", self.shocks().map(Risk::name).collect::<Vec<_>>()),
        }
    }

    /// The inverse of [`literals`](Self::literals). Fails if a field has no value, or an impossible one.
    pub fn restore(literals: &BTreeMap<String, String>, fields: FieldSet) -> Result<Self, NotAnInput> {
        let mut inputs = Self {
            numbers: [0; Number::ALL.len()],
            flags: [false; Flag::ALL.len()],
            housing_grade: HousingGrade::A,
            support: SocialSupport::None,
            shocks: 0,
        };
        for field in fields.iter() {
            let literal = literals.get(field.name());
            literal
                .and_then(|literal| inputs.set(field, literal))
                .ok_or_else(|| NotAnInput(field.name().to_owned()))?;
        }
        Ok(inputs)
    }

    fn set(&mut self, field: Field, literal: &str) -> Option<()> {
        match field {
            Field::Number(number) => self.numbers[number.index()] = literal.parse().ok()?,
            Field::Flag(flag) => self.flags[flag.index()] = literal.parse().ok()?,
            Field::Word(Word::HousingGrade) => self.housing_grade = HousingGrade::by_name(unquoted(literal)?)?,
            Field::Word(Word::Support) => self.support = SocialSupport::by_name(unquoted(literal)?)?,
            Field::Shocks => {
                let items = literal.strip_prefix('[')?.strip_suffix(']')?;
                for item in items.split(", ").filter(|item| !item.is_empty()) {
                    self.shocks |= 1 << Risk::by_name(unquoted(item)?)?.index();
                }
            }
        }
        Some(())
    }
}

fn unquoted(literal: &str) -> Option<&str> {
    literal.strip_prefix('"')?.strip_suffix('"')
}

fn bits(risks: &BTreeSet<Risk>) -> u16 {
    risks.iter().fold(0, |bits, risk| bits | 1 << risk.index())
}

fn number(profile: &Profile, number: Number, line_fen: i64) -> i64 {
    let Profile { composition, newest, .. } = profile;
    match number {
        Number::Persons => composition.persons.into(),
        Number::Labourers => composition.labourers.into(),
        Number::Students => composition.students.into(),
        Number::ChildrenOutOfSchool => composition.children_out_of_school.into(),
        Number::Elderly => composition.elderly.into(),
        Number::Disabled => composition.disabled.into(),
        Number::SeriouslyIll => composition.seriously_ill.into(),
        Number::ChronicallyIll => composition.chronically_ill.into(),
        Number::Workers => composition.workers.into(),
        Number::Uninsured => composition.uninsured.into(),
        Number::Wages => newest.wages,
        Number::Business => newest.business,
        Number::Property => newest.property,
        Number::Transfer => newest.transfer,
        Number::BusinessExpense => newest.business_expense,
        Number::OutOfPocket => newest.out_of_pocket,
        Number::InsuranceReceived => newest.insurance_received,
        Number::NetIncome => newest.net_income,
        Number::PerCapitaNetIncome => newest.per_capita_net_income,
        Number::Loss => newest.loss,
        Number::PreviousPerCapitaNetIncome => newest.previous_per_capita_net_income.unwrap_or(0),
        Number::Line => line_fen,
    }
}

fn flag(profile: &Profile, flag: Flag) -> bool {
    match flag {
        Flag::HasPrevious => profile.newest.previous_per_capita_net_income.is_some(),
        Flag::SchoolingGuaranteed => profile.newest.schooling_guaranteed,
        Flag::MedicalGuaranteed => profile.newest.medical_guaranteed,
        Flag::WaterSafe => profile.newest.water_safe,
        Flag::LiftedFromPoverty => profile.lifted_from_poverty,
        Flag::Monitored => profile.monitored,
    }
}
