//! What is found, however it is written, and what passes.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const PHONE: &str = "13977665544";
const ID_NUMBER: &str = "11010519491231002X";
const CARD: &str = "6222777788889999129";

#[test]
fn who_a_text_is_about_is_found() {
    for (text, found) in [
        ("身份证11010519491231002X", Telling::IdNumber),
        ("11010519491231002x本人", Telling::IdNumber),
        ("360426199101010071", Telling::IdNumber),
        ("A/360426199101010071-1", Telling::IdNumber),
        ("93604261991010100719", Telling::IdNumber),
        ("110105 19491231 002X", Telling::IdNumber),
        ("110105-1949-12-31-002-X", Telling::IdNumber),
        ("110105 490131 002", Telling::IdNumber),
        ("110105490131002", Telling::IdNumber),
        ("电话13977665544。", Telling::Phone),
        ("+8613977665544", Telling::Phone),
        ("008613977665544", Telling::Phone),
        ("013977665544", Telling::Phone),
        ("+86 139 7766 5544", Telling::Phone),
        ("13800000000-1", Telling::Phone),
        ("139 1234 0077", Telling::Phone),
        ("139-1234-0077", Telling::Phone),
        // Part of a UUID is none.
        ("1391-2340-077a-ae5c0f13d2b1", Telling::Phone),
        // Nor is what has no letter.
        ("20250630-0001-1391-2340-077000000001 13912340077", Telling::Phone),
        ("139.1234.0077", Telling::Phone),
        ("139/1234/0077", Telling::Phone),
        ("(139)1234-0077", Telling::Phone),
        ("139、1234、0077", Telling::Phone),
        ("139，1234。0077", Telling::Phone),
        ("139\u{3000}1234\u{200b}0077", Telling::Phone),
        ("１３９１２３４００７７", Telling::Phone),
        ("١٣٩١٢٣٤٠٠٧٧", Telling::Phone),
        ("139一二三四0077", Telling::Phone),
        ("1 3 9 1 2 3 4 0 0 7 7", Telling::Phone),
        ("2025 13912340077", Telling::Phone),
        ("2025 139 1234 0077", Telling::Phone),
        ("2025-06-30 139 1234 0077", Telling::Phone),
        ("其一13912340077", Telling::Phone),
        ("①13912340077", Telling::Phone),
        ("卡号6222777788889999129", Telling::Account),
        ("6222 7777 8888 9999 129", Telling::Account),
        ("6222777788889999129x", Telling::Account),
        ("4111111111111111", Telling::Account),
    ] {
        assert_eq!(telling(text), Some(found), "{text}");
    }
}

#[test]
fn document_numbers_dates_and_amounts_pass() {
    for text in [
        "",
        "危房改造补助20000元",
        "粤府〔2025〕12号",
        "粤府办函〔2025〕139号",
        "清新民〔2025〕1391号，2025年6月30日",
        "2025-06-30",
        "2025-06-30 13:55",
        "2025-06-30 13:55:12 1234567",
        "2025.06.15/202506158",
        "2025-06-15 202506150001",
        "2025-06-30 2025-07-30",
        "2025/06/30—2026/06/29 20000",
        "2025 1391",
        "12977665544",
        "1397766554",
        "139776655440",
        "441823107201",
        "123456789012345",
        "441823250630001",
        "2025/000000000000000000",
        "441823107201-20250630-0012",
        "HZ-2025-000123",
        "SQ20250630135501",
        "1234567890123456",
        "20250630139123400771",
        "91110000600037341L",
        "91441802MA4W1234X5",
        "125,000.00元",
        "0763-5820000",
        "a3f0139a-1391-2340-077a-ae5c0f13d2b1",
        "案卷 ab912340-0771-1391-2340-077c23400771。",
        "第1、2、3、4、5、6、7、8、9、10、11、12条",
    ] {
        assert_eq!(telling(text), None, "{text}");
    }
}

#[test]
fn a_credit_code_of_digits_alone_passes_though_its_luhn_digit_is_right() {
    let digits = |number: u64| -> Vec<u8> { number.to_string().bytes().map(|byte| byte - b'0').collect() };
    let code = (914_418_020_000_000_000_u64..914_418_020_000_010_000)
        .find(|number| {
            let text = number.to_string();
            codes::is_account(&digits(*number)) && codes::without_credit_codes(&text) != text
        })
        .unwrap();
    assert_eq!(telling(&format!("代码{code}")), None);
    assert_eq!(telling(&(code + 1).to_string()), None, "the last digit is wrong for both");
}

/// Document numbers of the usual forms, drawn by a counter: how many are refused without reason.
#[test]
fn document_numbers_are_hardly_ever_taken_for_a_persons() {
    let mut state = 20_250_630_u64;
    let mut draw = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut refused = Vec::new();
    let mut seen = 0;
    for _ in 0..2_000 {
        let (year, month, day) = (2015 + draw(12), 1 + draw(12), 1 + draw(28));
        let (number, serial, region) = (draw(2_000), draw(100_000_000), 441_823_000_000 + draw(300_000));
        for text in [
            format!("粤府〔{year}〕{number}号"),
            format!("清新乡振发[{year}]{number}号 {year}-{month:02}-{day:02}"),
            format!("{year}-{month:02}-{day:02} {serial:08}"),
            format!("{year}/{month}/{day} {:02}:{:02} 共{number}元", draw(24), draw(60)),
            format!("{year}{month:02}{day:02}{number:04}"),
            format!("HX-{year}-{number:05}"),
            format!("{year}/{number}/{}", draw(1_000)),
            format!("{region}-{year}{month:02}{day:02}-{:04}", draw(10_000)),
            format!("{region}{:03}", draw(1_000)),
            format!("441823{:02}{month:02}{day:02}{:03}", year % 100, draw(1_000)),
            format!("W/{year}/{serial}"),
            format!("{},{:03}.{:02} 元", draw(1_000), draw(1_000), draw(100)),
            format!("{year}年{month}月{day}日至{year}年12月31日，{number}元"),
            format!("{year}-{month:02}-{day:02}至{}-{month:02}-{day:02}", year + 1),
            format!("0763-{:07}", 3_000_000 + draw(3_000_000)),
        ] {
            seen += 1;
            refused.extend(telling(&text).map(|telling| format!("{text} {telling}")));
        }
    }
    let in_a_thousand = refused.len() * 1_000 / seen;
    assert!(in_a_thousand < 2, "{in_a_thousand} in 1,000: {:#?}", &refused[..20.min(refused.len())]);
}

/// A number with something between its digits, none of it a letter.
fn spaced(number: &'static str) -> impl Strategy<Value = String> {
    const BETWEEN: &[&str] = &[
        "", "", "", " ", "-", ".", "/", "\\", "、", "，", "·", "—", "\u{3000}", "\u{200b}", "\u{feff}", " - ", "_",
        "（", "\n",
    ];
    const ZEROS: &[char] = &['0', '０', '٠', '०', '๐', '𝟎', '\u{1e950}'];
    (vec(select(BETWEEN), number.len()), select(ZEROS)).prop_map(move |(between, zero)| {
        let written = |digit: char| match digit.to_digit(10) {
            Some(value) => char::from_u32(u32::from(zero) + value).unwrap(),
            None => digit,
        };
        number.chars().zip(between).flat_map(|(digit, gap)| [gap.to_owned(), written(digit).to_string()]).collect()
    })
}

/// Whether it could be read as a date, too, in which case it may be one.
fn looks_like_a_date(text: &str) -> bool {
    chains(text).iter().any(|chain| chain.numbers().any(|number| number.has_date))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_number_is_found_however_it_is_spaced_and_written(
        (text, found) in prop_oneof![
            spaced(PHONE).prop_map(|text| (text, Telling::Phone)),
            spaced(ID_NUMBER).prop_map(|text| (text, Telling::IdNumber)),
            spaced(CARD).prop_map(|text| (text, Telling::Account)),
        ],
        before in select(["", "电话：", "见 2025年", "A/", "2025-06-30 ", "（"].as_slice()),
        after in select(["", "。", "元", "-A", " 号"].as_slice()),
    ) {
        let text = format!("{before}{text}{after}");
        prop_assume!(found != Telling::Account || !looks_like_a_date(text.trim_start_matches("2025-06-30 ")));
        prop_assert_eq!(telling(&text), Some(found), "{}", text);
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let _ = telling(&text);
    }
}
