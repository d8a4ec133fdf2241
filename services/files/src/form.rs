//! The columns of a kind of row, as the contract states them by its options `heading`, `key` and `words`.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use tongxin_proto::{
    POOL,
    options::v1::{Heading, Key, Words},
};

use crate::lang::Lang;

/// The columns of a kind of row.
#[derive(Debug)]
pub struct Form {
    /// All columns, in the order of the contract.
    pub columns: Vec<Column>,
    /// What a row states.
    pub(crate) message: MessageDescriptor,
    /// The field whose messages have a line each, if a row may have several lines.
    pub(crate) lines: Option<FieldDescriptor>,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its heading in Chinese.
    pub zh: String,
    /// Its heading in English.
    pub en: String,
    /// All of its headings, as [`plain`] writes them.
    names: Vec<String>,
    /// What its cells hold.
    pub(crate) holds: Holds,
    /// The field that it states.
    pub(crate) field: FieldDescriptor,
    /// Whether it is about a line of a row that may have several, and not about all of the row.
    pub(crate) of_line: bool,
    /// How it takes part in naming what a row is about.
    pub(crate) key: Key,
    /// Whether a file may lack it, and its cells may be empty.
    pub optional: bool,
    /// A line for whoever fills it in: in English and in Chinese.
    pub note: [String; 2],
}

/// What the cells of a column hold.
#[derive(Debug)]
pub enum Holds {
    /// A text; whether it is a number that is no quantity, such as a code or an account.
    Text {
        /// Whether a spreadsheet would take it for a quantity.
        number: bool,
    },
    /// A word.
    Word(Vocabulary),
    /// Several words.
    Words(Vocabulary),
    /// A day.
    Day,
    /// Yes or no.
    Truth,
    /// An amount in yuan, which the contract states in fen.
    Yuan,
    /// A whole number.
    Count,
    /// Messages in one cell, such as `accident:20000;natural_disaster/flood:15000`: words, then an amount in yuan.
    Losses(Vec<Loss>),
}

/// A part of a message that is written in one cell.
#[derive(Debug)]
pub struct Loss {
    pub(crate) tag: u32,
    /// Its words; none for an amount.
    pub(crate) words: Option<Vocabulary>,
}

/// The words of an enumeration.
#[derive(Debug)]
pub struct Vocabulary {
    /// Number, English and Chinese word of each value.
    pub values: Vec<(i32, String, String)>,
    by_word: HashMap<String, i32>,
}

impl Vocabulary {
    fn of(kind: &EnumDescriptor) -> Self {
        static WORDS: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("words"));
        let nothing = kind.default_value();
        let prefix = nothing.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
        let (mut values, mut by_word) = (Vec::new(), HashMap::new());
        for value in kind.values().filter(|value| *value != nothing) {
            let en = value.name().strip_prefix(prefix).unwrap_or(value.name()).to_ascii_lowercase();
            let stated = value.options();
            let stated = stated.get_extension(&WORDS);
            let words: Words = stated.as_message().and_then(|words| words.transcode_to().ok()).unwrap_or_default();
            for word in words.also.iter().chain([&words.zh, &en]).filter(|word| !word.is_empty()) {
                by_word.insert(plain(word), value.number());
            }
            values.push((value.number(), en, words.zh));
        }
        Self { values, by_word }
    }

    /// The value of a word in any language.
    #[must_use]
    pub fn number(&self, word: &str) -> Option<i32> {
        self.by_word.get(&plain(word)).copied()
    }

    /// The word of a value.
    #[must_use]
    pub fn word(&self, number: i32, lang: Lang) -> &str {
        let value = self.values.iter().find(|(known, ..)| *known == number);
        value.map_or("", |(_, en, zh)| if zh.is_empty() { en } else { lang.of(en, zh) })
    }

    /// All words, English and Chinese.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        self.values.iter().map(|(_, en, zh)| (en.clone(), zh.clone())).collect()
    }
}

impl Form {
    /// The columns of a message of the contract.
    ///
    /// # Panics
    /// If the contract has no such message or one of its columns holds what is not written in cells. A test opens all.
    #[must_use]
    pub fn of<Row: prost::Name>() -> Self {
        let name = Row::full_name();
        let message = POOL.get_message_by_name(&name).unwrap_or_else(|| panic!("the contract has no {name}"));
        let mut form = Self { columns: Vec::new(), message: message.clone(), lines: None };
        for field in message.fields() {
            match (heading(&field), field.kind()) {
                (Some(heading), _) => form.columns.push(Column::of(field, heading, false)),
                (None, Kind::Message(held)) if field.is_list() && has_columns(&held) => {
                    let columns = held.fields().filter_map(|field| Some((heading(&field)?, field)));
                    form.columns.extend(columns.map(|(heading, field)| Column::of(field, heading, true)));
                    form.lines = Some(field);
                }
                (None, _) => {}
            }
        }
        form
    }

    /// The column with a heading, whatever language it is in.
    #[must_use]
    pub fn find(&self, heading: &str) -> Option<usize> {
        let heading = plain(heading);
        self.columns.iter().position(|column| column.names.contains(&heading))
    }

    /// The columns that a file has to have.
    pub fn needed(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.optional)
    }
}

impl Column {
    fn of(field: FieldDescriptor, heading: Heading, of_line: bool) -> Self {
        let en = if heading.en.is_empty() { field.name().to_owned() } else { heading.en };
        let mut names: Vec<_> = [field.name(), &en, &heading.zh].map(plain).into();
        names.extend(heading.also.iter().map(|name| plain(name)));
        Self {
            zh: heading.zh,
            en,
            names,
            holds: Holds::of(&field),
            key: key(&field),
            field,
            of_line,
            optional: heading.optional,
            note: [heading.note_en, heading.note_zh],
        }
    }

    /// Its heading.
    #[must_use]
    pub fn heading(&self, lang: Lang) -> &str {
        lang.of(&self.en, &self.zh)
    }

    /// Whether its cells are texts of digits, which a spreadsheet spoils unless they are formatted as text.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.holds, Holds::Text { number: true })
    }
}

impl Holds {
    fn of(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::String => Self::Text { number: is_number(field) },
            Kind::Enum(kind) if field.is_list() => Self::Words(Vocabulary::of(&kind)),
            Kind::Enum(kind) => Self::Word(Vocabulary::of(&kind)),
            Kind::Bool => Self::Truth,
            Kind::Int64 if field.name().ends_with("_fen") => Self::Yuan,
            Kind::Int32 | Kind::Int64 => Self::Count,
            Kind::Message(held) if held.full_name() == "google.type.Date" => Self::Day,
            Kind::Message(held) if field.is_list() => Self::Losses(held.fields().map(|part| Loss::of(&part)).collect()),
            kind => panic!("{}: {kind:?} is not written in cells", field.full_name()),
        }
    }
}

impl Loss {
    fn of(part: &FieldDescriptor) -> Self {
        let words = match part.kind() {
            Kind::Enum(kind) => Some(Vocabulary::of(&kind)),
            Kind::Int64 => None,
            kind => panic!("{}: {kind:?} is not written in a cell with others", part.full_name()),
        };
        Self { tag: part.number(), words }
    }
}

/// A heading or word without what people write differently: case, spaces, underscores, and a unit or remark in brackets
/// or an asterisk at its end.
pub(crate) fn plain(text: &str) -> String {
    let end = text.find(['(', '（', '[', '【']).filter(|end| *end > 0).unwrap_or(text.len());
    let kept = text[..end].chars().filter(|character| !character.is_whitespace() && !"_*＊:：".contains(*character));
    kept.flat_map(char::to_lowercase).collect()
}

/// The heading of the reason, in English and Chinese. A reader passes such a column over, so that the file can be
/// imported once it is mended.
pub(crate) const REASON: [&str; 2] = ["refused_because", "退回原因"];

/// Whether a heading is that of the reason.
pub(crate) fn is_reason(heading: &str) -> bool {
    REASON.iter().any(|reason| plain(reason) == plain(heading))
}

/// The sheets of a template after the first, in English and Chinese.
pub(crate) const EXAMPLES: [&str; 2] = ["examples", "示例"];
pub(crate) const COLUMNS: [&str; 2] = ["columns", "填写说明"];
pub(crate) const WORDS: [&str; 2] = ["words", "可选词"];

/// Whether a sheet is one of those.
pub(crate) fn is_of_template(sheet: &str) -> bool {
    [EXAMPLES, COLUMNS, WORDS].as_flattened().contains(&sheet)
}

/// Headings of columns by which people number and annotate their tables.
const NOTES: [&str; 6] = ["序号", "备注", "No.", "number", "remark", "remarks"];

/// Whether a column is a remark, which a reader passes over: a number of the line, a note, the reason of a refusal, or a
/// heading in brackets.
pub(crate) fn is_remark(heading: &str) -> bool {
    let in_brackets = heading.starts_with(['(', '（']) && heading.ends_with([')', '）']);
    in_brackets || is_reason(heading) || NOTES.iter().any(|note| plain(note) == plain(heading))
}

fn has_columns(message: &MessageDescriptor) -> bool {
    message.fields().any(|field| heading(&field).is_some())
}

fn heading(field: &FieldDescriptor) -> Option<Heading> {
    static HEADING: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("heading"));
    let options = field.options();
    let stated = options.has_extension(&HEADING).then(|| options.get_extension(&HEADING))?;
    stated.as_message()?.transcode_to().ok()
}

fn key(field: &FieldDescriptor) -> Key {
    static KEY: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("key"));
    let number = field.options().get_extension(&KEY).as_enum_number();
    number.and_then(|number| Key::try_from(number).ok()).unwrap_or_default()
}

/// Whether the rule of a text lets it begin with digits, as codes and accounts do.
fn is_number(field: &FieldDescriptor) -> bool {
    static RULES: LazyLock<ExtensionDescriptor> =
        LazyLock::new(|| POOL.get_extension_by_name("buf.validate.field").expect("the contract states its rules"));
    let options = field.options();
    let rules = options.get_extension(&RULES);
    let text = rules.as_message().and_then(|rules| rules.get_field_by_name("string"));
    let pattern = text.as_ref().and_then(|text| text.as_message()).and_then(|text| text.get_field_by_name("pattern"));
    let pattern = pattern.as_ref().and_then(|pattern| pattern.as_str()).unwrap_or_default();
    let begin = pattern.trim_start_matches(['^', '(']);
    begin.starts_with("[0-9") || begin.starts_with("[1-9")
}

fn extension(name: &str) -> ExtensionDescriptor {
    let name = format!("tongxin.options.v1.{name}");
    POOL.get_extension_by_name(&name).unwrap_or_else(|| panic!("the contract has no option {name}"))
}

#[cfg(test)]
mod tests {
    use tongxin_proto::{monitoring::v1 as monitoring, pairing::v1 as pairing};

    use super::*;

    fn all() -> Vec<Form> {
        vec![
            Form::of::<pairing::RegionRow>(),
            Form::of::<pairing::OrganisationDraft>(),
            Form::of::<pairing::PairingDraft>(),
            Form::of::<monitoring::HouseholdDraft>(),
            Form::of::<monitoring::ObservationDraft>(),
            Form::of::<monitoring::Warning>(),
        ]
    }

    #[test]
    fn each_heading_and_word_means_one_thing() {
        for form in all() {
            for (index, column) in form.columns.iter().enumerate() {
                assert!(!column.zh.is_empty(), "{} has no heading in Chinese", column.en);
                for name in &column.names {
                    assert_eq!(form.find(name), Some(index), "{name}");
                }
                let (Holds::Word(vocabulary) | Holds::Words(vocabulary)) = &column.holds else { continue };
                for (number, en, zh) in &vocabulary.values {
                    assert!(!zh.is_empty(), "{en} of {} has no word in Chinese", column.en);
                    assert_eq!([vocabulary.number(en), vocabulary.number(zh)], [Some(*number); 2], "{en}");
                }
            }
        }
    }

    #[test]
    fn a_heading_is_known_however_it_is_written() {
        let form = Form::of::<monitoring::HouseholdDraft>();
        let id_number = form.find("id_number").unwrap();
        for heading in ["ID number", "证件号码", " 证件 号码* ", "身份证号（18位）", "ID_NUMBER"] {
            assert_eq!(form.find(heading), Some(id_number), "{heading}");
        }
        assert_eq!(form.find("序号"), None);
        assert!(form.columns[id_number].is_number() && form.columns[id_number].of_line);
        assert!(form.lines.is_some());
    }
}
