//! What is taken away from texts, and what stays.

use super::*;

#[test]
fn invisible_characters_are_removed_wherever_they_stand() {
    for (text, tidied) in [
        ("\u{200b}张小明", "张小明"),
        ("张小\u{200b}红", "张小红"),
        ("\u{feff}太平中学", "太平中学"),
        ("\u{200e}441823198101029994", "441823198101029994"),
        ("\u{202d}13800000000\u{202c}", "13800000000"),
        ("13800\u{ad}000\u{2060}000\u{2069}", "13800000000"),
        ("\u{e0041}张\u{180e}三\u{3164}", "张三"),
        (" \u{3000}张三\u{a0}\n", "张三"),
        (" \u{200b} 张三 \u{feff} ", "张三"),
        ("\r\n第一行\n\t第二行\u{2028}", "第一行\n\t第二行"),
        ("张 三", "张 三"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("Ａ１", "Ａ１"),
        ("", ""),
    ] {
        assert_eq!(tidy(text), tidied, "{text:?}");
        assert_eq!(tidy(&tidy(text)), tidied, "tidying twice changes nothing");
    }
}

#[test]
fn nothing_visible_is_empty() {
    for text in [
        "\u{200b}",
        " \u{3000} ",
        "\u{200b}\u{200b}",
        "\t\r\n",
        "\u{202d}\u{202c}",
        "\u{3164} \u{3164}",
        "\u{2800}",
        "\u{fe0f}",
    ] {
        assert_eq!(tidy(text), "", "{text:?}");
    }
}

#[test]
fn what_chooses_a_glyph_stays() {
    let chosen = "葛\u{e0100}城";
    assert_eq!(tidy(chosen), chosen);
}

#[test]
fn codes_are_written_in_ascii() {
    for (text, tidied) in [
        ("４４1823198101029994", "441823198101029994"),
        ("44182319810102999Ｘ", "44182319810102999X"),
        ("＋86\u{a0}138－0000\u{3000}0000", "+86 138-0000 0000"),
        ("\u{200e}4418\u{200b}23 ", "441823"),
        ("太平", "太平"),
    ] {
        assert_eq!(tidy_code(text), tidied, "{text:?}");
    }
}

#[test]
fn a_text_that_is_tidy_is_not_copied() {
    let text = |text: &'static str| text.to_owned();
    for mut tidied in [text("441823107201"), text("清远市阳山县"), text("Ａ座（东）"), text("帮扶·结对")]
    {
        let before = tidied.as_ptr();
        tidy_text(&mut tidied);
        assert_eq!(tidied.as_ptr(), before, "{tidied}");
    }
    assert!(matches!(tidy("  清远 "), Cow::Borrowed("清远")));
}

#[test]
fn what_is_scanned_only_is_not_invisible() {
    let all = || (0..=u32::from(char::MAX)).filter_map(char::from_u32);
    for character in all().filter(|character| is_kept(*character)) {
        assert!(!is_invisible(character), "{character:?}");
    }
    assert!(all().filter(|character| is_invisible(*character)).count() > 150);
    assert!(['\u{fe0f}', '\u{7}', ' ', '\u{a0}'].into_iter().all(|character| !is_invisible(character)));
}

#[test]
fn control_characters_are_named_by_their_codes() {
    let named = |text: &str| control_character(text).map(|control| control.to_string());
    for (text, name) in [
        ("张\0三", "the control character U+0000"),
        ("张\u{7}三\u{1b}[31m", "the control character U+0007"),
        ("张\u{9b}三", "the control character U+009B"),
        ("张\n三", "the line break U+000A"),
        ("张\u{2028}三", "the line break U+2028"),
        ("张\t三", "the tab U+0009"),
    ] {
        assert_eq!(named(text).as_deref(), Some(name));
    }
    assert_eq!(named("张 三"), None);
    assert_eq!(control_character_in_lines("第一行\r\n\t第二行\u{2028}第三行"), None);
    assert_eq!(control_character_in_lines("第一行\u{b}").map(|control| control.0), Some('\u{b}'));
}

#[test]
fn answers_are_left_as_they_are() {
    let untidy = crate::pairing::v1::Organisation { name: "\u{feff}太平中学 ".to_owned(), ..Default::default() };
    let mut answer = crate::pairing::v1::GetOrganisationResponse { organisation: Some(untidy) };
    let before = answer.clone();
    answer.tidy();
    assert_eq!(answer, before);
}
