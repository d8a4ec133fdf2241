//! What expressions can ask about a household, by name, and the answers for one household.

use std::collections::{BTreeMap, BTreeSet};

use tongxin_platform::named;

use crate::domain::{household::SocialSupport, observation::HousingGrade, profile::Profile, risk::Risk};

named! {
    /// Fields that are whole numbers: members, and amounts in fen.
    pub enum Number {
        /// Members.
        Persons = "persons",
        /// Members who can work.
        Labourers = "labourers",
        /// Members at school.
        Students = "students",
        /// Members who left compulsory education before its end.
        ChildrenOutOfSchool = "children_out_of_school",
        /// Members of 60 and over.
        Elderly = "elderly",
        /// Disabled members.
        Disabled = "disabled",
        /// Members with a serious illness.
        SeriouslyIll = "seriously_ill",
        /// Members with a chronic disease.
        ChronicallyIll = "chronically_ill",
        /// Members who work.
        Workers = "workers",
        /// Members without basic medical insurance.
        Uninsured = "uninsured",
        /// Wages.
        Wages = "wages",
        /// Production and business.
        Business = "business",
        /// Property.
        Property = "property",
        /// Transfers.
        Transfer = "transfer",
        /// Expense of production and business.
        BusinessExpense = "business_expense",
        /// Out-of-pocket spending on health.
        OutOfPocket = "out_of_pocket",
        /// Insurance payments received.
        InsuranceReceived = "insurance_received",
        /// Net income of the household.
        NetIncome = "net_income",
        /// Net income of one person.
        PerCapitaNetIncome = "per_capita_net_income",
        /// Sum of losses.
        Loss = "loss",
        /// Net income of one person in the window a year before; 0 if none is known.
        PreviousPerCapitaNetIncome = "previous_per_capita_net_income",
        /// The monitoring line of the year.
        Line = "line",
    }
}

/// The largest amount that the contract lets anybody state of a household, in fen: 1,000,000,000 yuan.
const MOST_FEN: i64 = 100_000_000_000;

/// The most shocks that it lets be stated of a household in one observation.
const MOST_SHOCKS: i64 = 10;

/// The highest monitoring line that it lets be stated, in fen.
const MOST_LINE_FEN: i64 = 100_000_000;

impl Number {
    /// The least and the most that it is for any household, by what the contract lets be stated and the tables let be written.
    #[must_use]
    pub fn bounds(self) -> (i64, i64) {
        match self {
            Self::Persons
            | Self::Labourers
            | Self::Students
            | Self::ChildrenOutOfSchool
            | Self::Elderly
            | Self::Disabled
            | Self::SeriouslyIll
            | Self::ChronicallyIll
            | Self::Workers
            | Self::Uninsured => (0, i16::MAX.into()),
            Self::Wages
            | Self::Business
            | Self::Property
            | Self::Transfer
            | Self::BusinessExpense
            | Self::OutOfPocket
            | Self::InsuranceReceived => (0, MOST_FEN),
            // Four incomes less an expense.
            Self::NetIncome | Self::PerCapitaNetIncome | Self::PreviousPerCapitaNetIncome => (-MOST_FEN, 4 * MOST_FEN),
            Self::Loss => (0, MOST_SHOCKS * MOST_FEN),
            Self::Line => (0, MOST_LINE_FEN),
        }
    }
}

named! {
    /// Fields that hold or do not.
    pub enum Flag {
        /// Whether the window a year before is known.
        HasPrevious = "has_previous",
        /// All children of school age are at school.
        SchoolingGuaranteed = "schooling_guaranteed",
        /// All members have basic medical insurance.
        MedicalGuaranteed = "medical_guaranteed",
        /// Drinking water is safe.
        WaterSafe = "water_safe",
        /// It was lifted out of poverty by 2020.
        LiftedFromPoverty = "lifted_from_poverty",
        /// It is under monitoring.
        Monitored = "monitored",
    }
}

named! {
    /// Fields that are one of a few words.
    pub enum Word {
        /// Grade of the dwelling, `"A"` to `"D"`.
        HousingGrade = "housing_grade",
        /// Social support.
        Support = "support",
    }
}

impl Word {
    /// All words that it can be.
    pub fn values(self) -> Vec<&'static str> {
        match self {
            Self::HousingGrade => HousingGrade::ALL.iter().map(|grade| grade.name()).collect(),
            Self::Support => SocialSupport::ALL.iter().map(|support| support.name()).collect(),
        }
    }
}

/// The name of the only list: what hit the household.
const SHOCKS: &str = "shocks";

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A whole number.
    Number(Number),
    /// Holds or does not.
    Flag(Flag),
    /// One of a few words.
    Word(Word),
    /// What hit the household.
    Shocks,
}

impl Field {
    /// All fields, numbers first.
    pub fn all() -> impl Iterator<Item = Self> {
        let numbers = Number::ALL.iter().map(|number| Self::Number(*number));
        let flags = Flag::ALL.iter().map(|flag| Self::Flag(*flag));
        let words = Word::ALL.iter().map(|word| Self::Word(*word));
        numbers.chain(flags).chain(words).chain([Self::Shocks])
    }

    /// Its name in expressions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number(number) => number.name(),
            Self::Flag(flag) => flag.name(),
            Self::Word(word) => word.name(),
            Self::Shocks => SHOCKS,
        }
    }

    /// The field of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|field| field.name() == name)
    }
}

/// Some fields: one bit for each, in the order of [`Field::all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldSet(u32);

impl FieldSet {
    /// Adds a field.
    pub fn insert(&mut self, field: Field) {
        self.0 |= Self::bit(field);
    }

    /// The fields of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The fields in it.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::all().filter(move |field| self.0 & Self::bit(*field) != 0)
    }

    fn bit(field: Field) -> u32 {
        let (flags, words) = (Number::ALL.len(), Number::ALL.len() + Flag::ALL.len());
        1 << match field {
            Field::Number(number) => number.index(),
            Field::Flag(flag) => flags + flag.index(),
            Field::Word(word) => words + word.index(),
            Field::Shocks => words + Word::ALL.len(),
        }
    }
}

/// What expressions are told of one household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    numbers: [i64; Number::ALL.len()],
    flags: [bool; Flag::ALL.len()],
    housing_grade: HousingGrade,
    support: SocialSupport,
    /// One bit for each risk.
    shocks: u16,
}

/// Something kept that is not the value of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no value that it can have")]
pub struct NotAnInput(String);

impl Inputs {
    /// What is asked about a household, with the monitoring line in fen.
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

    /// The opposite of [`literals`](Self::literals): what was asked about once.
    ///
    /// # Errors
    /// When one of the fields has no value, or one that it cannot have.
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
