//! Fields of a household in expressions, by name.

use tongxin_platform::named;

use crate::domain::{household::SocialSupport, observation::HousingGrade};

named! {
    /// Whole-number fields: members, and amounts in fen.
    pub enum Number {
        Persons = "persons",
        Labourers = "labourers",
        Students = "students",
        ChildrenOutOfSchool = "children_out_of_school",
        Elderly = "elderly",
        Disabled = "disabled",
        SeriouslyIll = "seriously_ill",
        ChronicallyIll = "chronically_ill",
        Workers = "workers",
        Uninsured = "uninsured",
        Wages = "wages",
        Business = "business",
        Property = "property",
        Transfer = "transfer",
        BusinessExpense = "business_expense",
        OutOfPocket = "out_of_pocket",
        InsuranceReceived = "insurance_received",
        NetIncome = "net_income",
        PerCapitaNetIncome = "per_capita_net_income",
        Loss = "loss",
        /// In the window a year before; 0 if it is not known.
        PreviousPerCapitaNetIncome = "previous_per_capita_net_income",
        /// The monitoring line of the year.
        Line = "line",
    }
}

/// Largest amount that the contract allows for a household, in fen: 1,000,000,000 yuan.
const MOST_FEN: i64 = 100_000_000_000;

/// Maximum number of shocks that it allows per observation.
const MOST_SHOCKS: i64 = 10;

/// Highest monitoring line that it allows, in fen.
const MOST_LINE_FEN: i64 = 100_000_000;

impl Number {
    /// Minimum and maximum for any household, by the limits of the contract and of the tables.
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
            // Four incomes less one expense.
            Self::NetIncome | Self::PerCapitaNetIncome | Self::PreviousPerCapitaNetIncome => (-MOST_FEN, 4 * MOST_FEN),
            Self::Loss => (0, MOST_SHOCKS * MOST_FEN),
            Self::Line => (0, MOST_LINE_FEN),
        }
    }
}

named! {
    /// Boolean fields.
    pub enum Flag {
        /// Whether the window a year before is known.
        HasPrevious = "has_previous",
        SchoolingGuaranteed = "schooling_guaranteed",
        MedicalGuaranteed = "medical_guaranteed",
        WaterSafe = "water_safe",
        /// It was lifted out of poverty by 2020.
        LiftedFromPoverty = "lifted_from_poverty",
        Monitored = "monitored",
    }
}

named! {
    /// Fields with one of a few words.
    pub enum Word {
        /// Grade of the dwelling, `"A"` to `"D"`.
        HousingGrade = "housing_grade",
        Support = "support",
    }
}

impl Word {
    /// All possible words.
    pub fn values(self) -> Vec<&'static str> {
        match self {
            Self::HousingGrade => HousingGrade::ALL.iter().map(|grade| grade.name()).collect(),
            Self::Support => SocialSupport::ALL.iter().map(|support| support.name()).collect(),
        }
    }
}

/// Name of the only list: the shocks that hit the household.
const SHOCKS: &str = "shocks";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Number(Number),
    Flag(Flag),
    Word(Word),
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

    /// Name in expressions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number(number) => number.name(),
            Self::Flag(flag) => flag.name(),
            Self::Word(word) => word.name(),
            Self::Shocks => SHOCKS,
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|field| field.name() == name)
    }
}

/// A set of fields: one bit for each, in the order of [`Field::all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldSet(u32);

impl FieldSet {
    pub fn insert(&mut self, field: Field) {
        self.0 |= Self::bit(field);
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

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
