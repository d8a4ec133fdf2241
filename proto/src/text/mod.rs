//! Texts as they are taken from callers and files: without invisible characters.
//!
//! Programs, web pages and input methods leave byte order marks, bidirectional marks and zero-width spaces in texts. They say
//! nothing, and two texts that look alike differ by them. So every text of a request is tidied before its rules are
//! checked ([`Tidy`]), and what is checked is what is stored, hashed and compared.

use std::{borrow::Cow, fmt, sync::LazyLock};

use regex::Regex;

/// A message of a request, whose texts can be tidied. The build implements it; for messages that no request holds it
/// does nothing.
pub trait Tidy {
    /// Tidies every text of it, and of the messages in it.
    fn tidy(&mut self);
}

/// Format characters (general category Cf) and other characters that are ignorable by default, such as Hangul fillers.
/// Variation selectors stay: they choose the glyph of the character before them, which some names need.
static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[[\p{Cf}\p{Default_Ignorable_Code_Point}]--\p{Variation_Selector}]+").expect("it is an expression")
});

/// A text in which there is nothing to see. U+2800 is a Braille cell without dots.
static BLANK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\s\p{Variation_Selector}\x{2800}]*$").expect("it is an expression"));

/// The text without invisible characters, wherever they stand, and without white space (Unicode's, with line breaks and
/// U+3000) at its ends. A text in which nothing can be seen is empty. Control characters inside stay, so that who reads
/// the text can refuse it ([`control_character`]).
#[must_use]
pub fn tidy(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text.trim());
    }
    match without_invisible(text) {
        seen if BLANK.is_match(&seen) => Cow::Borrowed(""),
        Cow::Borrowed(seen) => Cow::Borrowed(seen.trim()),
        Cow::Owned(seen) => Cow::Owned(seen.trim().to_owned()),
    }
}

/// The text without invisible characters, and with all white space.
#[must_use]
pub fn without_invisible(text: &str) -> Cow<'_, str> {
    INVISIBLE.replace_all(text, "")
}

/// Whether a character has neither a glyph nor a width.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    INVISIBLE.is_match(character.encode_utf8(&mut [0; 4]))
}

/// The tidy text of a number or a code, which is written in ASCII: full-width letters, digits and signs, as Chinese input
/// methods write them, become ASCII, and spaces of any width plain ones.
#[must_use]
pub fn tidy_code(text: &str) -> Cow<'_, str> {
    let tidied = tidy(text);
    if tidied.is_ascii() {
        return tidied;
    }
    Cow::Owned(tidied.chars().map(in_ascii).collect())
}

fn in_ascii(character: char) -> char {
    match character {
        // The block has the characters of ASCII in their order.
        '！'..='～' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        _ if character.is_whitespace() && !character.is_control() && !is_line_separator(character) => ' ',
        _ => character,
    }
}

/// Whether a character is known to be kept inside a text. Most texts consist of such characters: they are scanned, not copied.
fn is_kept(character: char) -> bool {
    // ASCII; from Chinese punctuation to the ideographs, without U+3164; full-width forms.
    matches!(character, '\0'..='\x7f' | '\u{3000}'..='\u{312f}' | '\u{3190}'..='\u{9fff}' | '！'..='～')
}

/// Tidies a text in its place.
pub(crate) fn tidy_text(text: &mut String) {
    replace(text, tidy);
}

/// Tidies a number or a code in its place.
pub(crate) fn tidy_code_text(text: &mut String) {
    replace(text, tidy_code);
}

/// Whatever tidying does shortens the text, so one of the same length is the same.
fn replace(text: &mut String, tidied: fn(&str) -> Cow<'_, str>) {
    let tidied = tidied(text);
    if tidied.len() != text.len() {
        *text = tidied.into_owned();
    }
}

/// A character of the general category Cc, or one of the separators of lines and paragraphs (U+2028, U+2029).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlCharacter(char);

/// Names it by its code, because the character itself would do what it commands wherever the text is shown.
impl fmt::Display for ControlCharacter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            '\t' => "tab",
            '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => "line break",
            _ => "control character",
        };
        write!(formatter, "the {kind} U+{:04X}", u32::from(self.0))
    }
}

/// The first control character of a text of one line: names, codes and numbers have none.
#[must_use]
pub fn control_character(text: &str) -> Option<ControlCharacter> {
    text.chars().find(|character| character.is_control() || is_line_separator(*character)).map(ControlCharacter)
}

/// The first control character of a text of several lines, in which line breaks and tabs are none.
#[must_use]
pub fn control_character_in_lines(text: &str) -> Option<ControlCharacter> {
    let is_refused = |character: &char| character.is_control() && !matches!(character, '\t' | '\n' | '\r');
    text.chars().find(is_refused).map(ControlCharacter)
}

fn is_line_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
