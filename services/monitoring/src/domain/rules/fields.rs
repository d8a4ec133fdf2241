//! What expressions can ask about a household, by name.

use tongxin_platform::named;

use crate::domain::{household::SocialSupport, observation::HousingGrade};

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
