//! Masks for displaying personal data. Counts characters, not bytes.

use std::iter::repeat_n;

const STAR: char = '*';

/// Shows the first character: 张三丰 becomes 张**. A single character is hidden.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let head = usize::from(name.chars().count() > 1);
    mask(name, head, 0)
}

/// Shows the first four characters, province and city: 44182319900101123X becomes 4418**************. Next to a date of
/// birth, the last ones would reveal all of them.
#[must_use]
pub fn mask_id_number(number: &str) -> String {
    mask_middle(number, 4, 0)
}

/// Shows three characters before and four after: 13800001234 becomes 138****1234.
#[must_use]
pub fn mask_phone(number: &str) -> String {
    mask_middle(number, 3, 4)
}

/// Shows the first three characters: 沙塘村12号 becomes 沙塘村***.
#[must_use]
pub fn mask_address(address: &str) -> String {
    mask_middle(address, 3, 0)
}

/// Shows the last four digits: 6228480402564890018 becomes ***************0018.
#[must_use]
pub fn mask_bank_account(number: &str) -> String {
    mask_middle(number, 0, 4)
}

/// Whether a text is a masked one, of which something is hidden.
#[must_use]
pub fn is_masked(text: &str) -> bool {
    text.contains(STAR)
}

/// Shows `head` characters before and `tail` after, the rest as stars. Shows nothing if less than a third of the text
/// would be hidden.
#[must_use]
pub fn mask_middle(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count();
    let hidden = count.saturating_sub(head.saturating_add(tail));
    if hidden == 0 || hidden < count.div_ceil(3) {
        return mask(text, 0, 0);
    }
    mask(text, head, tail)
}

/// `head` and `tail` must not be more than the text has.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count();
    text.chars().take(head).chain(repeat_n(STAR, count - head - tail)).chain(text.chars().skip(count - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_its_first_character() {
        assert_eq!(mask_name("张三丰"), "张**");
        assert_eq!(mask_name("张三"), "张*");
        assert_eq!(mask_name("阿依古丽·买买提"), "阿*******");
    }

    #[test]
    fn a_name_of_one_character_is_hidden() {
        assert_eq!(mask_name("张"), "*");
        assert_eq!(mask_name(""), "");
    }

    #[test]
    fn an_id_number_shows_its_first_four_digits_and_no_other() {
        assert_eq!(mask_id_number("44182319900101123X"), "4418**************");
        assert_eq!(mask_id_number("441823900101123"), "4418***********");
    }

    #[test]
    fn a_phone_number_hides_its_middle() {
        assert_eq!(mask_phone("13800001234"), "138****1234");
        assert_eq!(mask_phone("0763-3366123"), "076*****6123");
    }

    #[test]
    fn an_address_shows_its_beginning_and_an_account_its_end() {
        assert_eq!(mask_address("沙塘村12号"), "沙塘村***");
        assert_eq!(mask_address("沙塘村1"), "****");
        assert_eq!(mask_bank_account("6228480402564890018"), "***************0018");
        assert_eq!(mask_bank_account("12345"), "*****");
        assert_eq!((mask_address(""), mask_bank_account("")), (String::new(), String::new()));
    }

    #[test]
    fn a_masked_text_is_told_from_a_whole_one() {
        for text in ["张三丰", "44182319900101123X", "13800001234", "沙塘村12号"] {
            assert!(!is_masked(text));
            for mask in [mask_name, mask_id_number, mask_phone, mask_address, mask_bank_account] {
                assert!(is_masked(&mask(text)), "{text}");
            }
        }
        assert!(!is_masked(""));
    }

    #[test]
    fn a_short_text_shows_nothing() {
        assert_eq!(mask_id_number("12345"), "*****");
        assert_eq!(mask_id_number("123456"), "1234**");
        assert_eq!(mask_phone("1380000123"), "**********");
        assert_eq!(mask_phone(""), "");
        assert_eq!(mask_middle("abc", usize::MAX, usize::MAX), "***");
    }

    #[test]
    fn characters_of_several_bytes_count_as_one() {
        assert_eq!(mask_middle("清远市清新区太平镇", 3, 0), "清远市******");
        assert_eq!(mask_middle("清远", 1, 1), "**");
    }

    #[test]
    fn a_third_always_stays_hidden() {
        for count in 1..40 {
            let text = "字".repeat(count);
            for masked in [mask_name(&text), mask_id_number(&text), mask_phone(&text)] {
                let stars = masked.chars().filter(|letter| *letter == STAR).count();
                assert_eq!(masked.chars().count(), count);
                assert!(stars * 3 >= count, "{masked}");
            }
        }
    }
}
