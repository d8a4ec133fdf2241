//! Decimal digits of all scripts.

/// The zeros of Unicode's decimal digits (general category Nd), each followed by one to nine.
const ZEROS: [u32; 76] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0,
    0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// One to nine in Chinese.
const CHINESE: &str = "一二三四五六七八九";

/// A digit, and the script that it is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    pub value: u8,
    pub script: u32,
}

/// The digit that a character is. Those that stand in a circle, above or below the line count, too.
pub fn digit(character: char) -> Option<Digit> {
    let code = u32::from(character);
    if character.is_ascii() {
        return character.to_digit(10).map(|value| of(value, u32::from('0')));
    }
    let (value, script) = match character {
        '〇' | '零' => (0, u32::from('〇')),
        '①'..='⑨' => (code - u32::from('①') + 1, u32::from('①')),
        '²' | '³' => (code - u32::from('²') + 2, u32::from('⁰')),
        '¹' => (1, u32::from('⁰')),
        '⁰' | '⁴'..='⁹' => (code - u32::from('⁰'), u32::from('⁰')),
        '₀'..='₉' => (code - u32::from('₀'), u32::from('₀')),
        _ => {
            let chinese = CHINESE.chars().zip(1..).find(|(chinese, _)| *chinese == character);
            let in_chinese = chinese.map(|(_, value)| (value, u32::from('〇')));
            let in_tens = || ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last();
            in_chinese.or_else(|| in_tens().map(|zero| (code - zero, *zero)))?
        }
    };
    (value < 10).then(|| of(value, script))
}

fn of(value: u32, script: u32) -> Digit {
    Digit { value: u8::try_from(value).unwrap_or_default(), script }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_is_known() {
        let decimal = regex::Regex::new(r"^\p{Nd}$").unwrap();
        let mut zero = None;
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            let mut buffer = [0; 4];
            if !decimal.is_match(character.encode_utf8(&mut buffer)) {
                zero = None;
                continue;
            }
            // Digits come in tens.
            let first = *zero.get_or_insert(u32::from(character));
            let expected = u8::try_from((u32::from(character) - first) % 10).unwrap();
            assert_eq!(digit(character).map(|digit| digit.value), Some(expected), "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn other_digits_are_known_and_letters_are_none() {
        for (text, digits) in
            [("〇一九零", "0190"), ("①⑨", "19"), ("⁰¹²³⁴⁹", "012349"), ("₀₉", "09"), ("１３９", "139")]
        {
            let read: String = text.chars().filter_map(digit).map(|digit| digit.value.to_string()).collect();
            assert_eq!(read, digits);
        }
        for letter in "aXＡ号十百⑩½元〔-\u{200b}".chars() {
            assert_eq!(digit(letter), None, "{letter}");
        }
    }
}
