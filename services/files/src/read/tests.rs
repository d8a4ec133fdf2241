//! Files as spreadsheets and people leave them.

use tongxin_proto::monitoring::v1::{
    Disaster, Health, HouseholdDraft, HousingGrade, ObservationDraft, Relation, Risk, Shock,
};
use tongxin_proto::pairing::v1::RegionRow;

use std::ops::ControlFlow;

use super::{line::letters, *};
use crate::{form::Form, kinds::FileRow, lang::Lang};

const HOUSEHOLDS: &str =
    "household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work\n";
const HEAD: &str = "1,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming\n";
const SPOUSE: &str = "1,,,李姨,110101202311012176,spouse,healthy,ordinary,not_at_school,,none\n";
const OTHER: &str = "2,441823107200,none,张三,360426199101010071,head,healthy,ordinary,not_at_school,,none\n";

const OBSERVATIONS: &str = "household_number,window_ends_on,wages,business,property,transfer,business_expense,\
     out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks\n";

const REGIONS: &str = "code,name,level,parent_code,assisted\n";
const TOWN: &str = "441823107000,太平镇,town,441823000000,1\n";
const VILLAGE: &str = "441823107200,太平村委会,village,441823107000,1\n";

/// What is read of a file: rows with their lines, and faults as text; or the faults of all of it.
struct Outcome<Row> {
    rows: Vec<super::Row<Row>>,
    faults: Vec<String>,
    columns: Columns,
}

fn read_bytes<Row: FileRow>(bytes: &[u8], choice: &Choice) -> Result<Outcome<Row>, Vec<String>> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let columns = read(std::io::Cursor::new(bytes), &Form::of::<Row>(), choice, &mut |read| {
        match read {
            RowRead::Row(row) => rows.push(row),
            RowRead::Fault { fault, .. } => faults.push(fault.to_string()),
        }
        ControlFlow::Continue(())
    });
    let columns = columns.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(Outcome { rows, faults, columns })
}

fn rows<Row: FileRow>(bytes: impl AsRef<[u8]>) -> Vec<super::Row<Row>> {
    let Outcome { rows, faults, .. } = read_bytes(bytes.as_ref(), &Choice::default()).unwrap();
    assert_eq!(faults, Vec::<String>::new());
    rows
}

fn faults<Row: FileRow>(bytes: impl AsRef<[u8]>) -> Vec<String> {
    read_bytes::<Row>(bytes.as_ref(), &Choice::default()).map_or_else(|faults| faults, |outcome| outcome.faults)
}

fn region_fault(row: &str) -> String {
    faults::<RegionRow>(format!("{REGIONS}{row}")).join("\n")
}

fn messages<Row: FileRow>(rows: Vec<super::Row<Row>>) -> Vec<Row> {
    rows.into_iter().map(|row| row.message).collect()
}

fn begins(fault: &str, expected: &str) {
    assert!(fault.starts_with(expected), "{fault}\nhas to begin with\n{expected}");
}

#[test]
fn rows_are_read_whatever_wrote_them() {
    let text = format!("{REGIONS}{TOWN}{VILLAGE}");
    let plain = messages::<RegionRow>(rows(&text));
    assert_eq!((plain.len(), plain[1].name.as_str(), plain[1].assisted), (2, "太平村委会", true));
    let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (gb18030, ..) = encoding_rs::GB18030.encode(&text);
    for (what, file) in [
        ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ("CR", text.replace('\n', "\r").into_bytes()),
        ("empty lines", text.replace('\n', "\n\n").into_bytes()),
        ("lines of separators", format!("{text},,,,\n , ,\u{3000},,\n").into_bytes()),
        ("no line end", text.trim_end().as_bytes().to_vec()),
        ("quotes", text.replace("太平镇", "\"太平镇\"").into_bytes()),
        ("semicolons", text.replace(',', ";").into_bytes()),
        ("tabs", text.replace(',', "\t").into_bytes()),
        ("Excel's remark", format!("sep=;\n{}", text.replace(',', ";")).into_bytes()),
        ("UTF-16", utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("UTF-16 from another end", utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
        ("UTF-16 without a mark", utf_16(&text, u16::to_le_bytes)),
        ("GB18030", gb18030.to_vec()),
        ("unnamed columns", text.replace('\n', ",,\n").into_bytes()),
        ("a title", format!("阳山县行政区划,,,,\n{text}").into_bytes()),
    ] {
        assert_eq!(messages::<RegionRow>(rows(&file)), plain, "{what}");
    }
}

#[test]
fn columns_are_found_by_chinese_and_english_headings_in_any_order() {
    let form = Form::of::<RegionRow>();
    let zh: Vec<_> = form.columns.iter().rev().map(|column| column.zh.as_str()).collect();
    let words = ["是", "441823107000", "行政村", "太平村委会", "441823107200"];
    let level = form.columns.iter().find_map(|column| match &column.holds {
        crate::form::Holds::Word(vocabulary) => Some(vocabulary.word(5, Lang::Zh).to_owned()),
        _ => None,
    });
    let mut words = words.map(str::to_owned);
    words[2] = level.unwrap();
    let file = format!("{}\n{}\n", zh.join(","), words.join(","));
    assert_eq!(messages::<RegionRow>(rows(&file)), messages::<RegionRow>(rows(format!("{REGIONS}{VILLAGE}"))));
}

#[test]
fn lines_with_one_number_are_one_household() {
    let read = rows::<HouseholdDraft>([HOUSEHOLDS, HEAD, SPOUSE, OTHER].concat());
    let lines = |row: &super::Row<_>| row.lines.iter().map(|place| place.line).collect::<Vec<_>>();
    assert_eq!(read.iter().map(lines).collect::<Vec<_>>(), [vec![2, 3], vec![4]]);
    let [head, spouse] = &read[0].message.members[..] else { unreachable!() };
    assert_eq!((head.relation(), spouse.relation()), (Relation::Head, Relation::Spouse));
    assert_eq!(head.health, [i32::from(Health::SeriousIllness), i32::from(Health::Disabled)]);
    assert_eq!(read[0].message.region_code, "441823107200");
    // As after cells that were merged over the lines of a household.
    let merged = rows::<HouseholdDraft>([HOUSEHOLDS, HEAD, &SPOUSE.replacen('1', "", 1), OTHER].concat());
    assert_eq!(merged, read);
}

#[test]
fn what_is_wrong_with_a_household_is_named_and_the_others_are_read() {
    for (line, expected) in [
        (SPOUSE.replace("spouse", "wife"), "line 3, column relation: is none of: head ("),
        (SPOUSE.replace(",,,", ",441823107201,,"), "line 3, column region_code: differs from line 2, of"),
        (SPOUSE.replace("healthy", "healthy;ill"), "line 3, column health: is none of: healthy ("),
        (SPOUSE.replace("110101202311012176", "123"), "line 3, column id_number: is not what the column needs: "),
        (
            SPOUSE.replace("spouse", "head"),
            "line 3, column relation: is a second head under one household number, the first is in line 2",
        ),
        (SPOUSE.replace("110101202311012176", "1.10101E+17"), "line 3, column id_number: was changed by a spreadsheet"),
        (SPOUSE.replace("李姨", "李\u{7}姨"), "line 3, column name: holds the control character U+0007"),
    ] {
        let file = [HOUSEHOLDS, HEAD, &line, OTHER].concat();
        let Outcome { rows, faults, .. } = read_bytes::<HouseholdDraft>(file.as_bytes(), &Choice::default()).unwrap();
        assert_eq!((rows.len(), faults.len()), (1, 1), "{faults:?}");
        begins(&faults[0], expected);
    }
    let other = OTHER.replacen('2', "", 1);
    let nameless = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, &other].concat());
    begins(&nameless[0], "line 3, column household_number: is empty");
    let first = faults::<HouseholdDraft>([HOUSEHOLDS, &HEAD.replacen('1', "", 1)].concat());
    begins(&first[0], "line 2, column household_number: is empty");
    let half = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, "2,44"].concat());
    assert_eq!(half, ["line 3: the line ends after 2 of 11 columns: is the file only half there?"]);
}

#[test]
fn one_thing_stated_twice_is_named_with_both_lines() {
    let number = OTHER.replacen('2', "1", 1);
    let twice = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, OTHER, &number].concat());
    assert_eq!(twice, ["line 4, column household_number: states the same as line 2 already does"]);
    let elsewhere = number.replace("441823107200", "441802107200");
    assert_eq!(
        rows::<HouseholdDraft>([HOUSEHOLDS, HEAD, OTHER, &elsewhere].concat()).len(),
        3,
        "numbers are of a county"
    );
    let row = "1,2025-06-30,0,0,0,0,0,0,0,1,1,a,1,\n";
    let next = row.replace("2025-06-30", "2025/6/30");
    let twice =
        faults::<ObservationDraft>([OBSERVATIONS, row, &row.replace("2025-06-30", "2025-05-31"), &next].concat());
    assert_eq!(twice, ["line 4, column household_number: states the same as line 2 already does"]);
    assert_eq!(faults::<RegionRow>([REGIONS, TOWN, TOWN].concat()).len(), 1);
}

#[test]
fn a_row_has_an_end_and_a_fault_names_all_of_its_lines() {
    let many = SPOUSE.replacen('1', "", 1).repeat(300);
    let faults = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, &many].concat());
    assert_eq!(faults.len(), 1, "{faults:?}");
    begins(&faults[0], "line 2: more than 200 lines of one household");
    let wrong = [HOUSEHOLDS, HEAD, &SPOUSE.replace("spouse", "wife"), OTHER].concat();
    let mut lines = Vec::new();
    let form = Form::of::<HouseholdDraft>();
    let _ = read::<HouseholdDraft>(std::io::Cursor::new(wrong), &form, &Choice::default(), &mut |read| {
        if let RowRead::Fault { lines: of_row, .. } = read {
            lines = of_row;
        }
        ControlFlow::Continue(())
    });
    assert_eq!(lines, [2, 3]);
}

#[test]
fn a_mark_that_closes_nowhere_swallows_no_row() {
    let region = |name: &str| VILLAGE.replace("太平村委会", name);
    let file = [REGIONS, TOWN, &region("\"甲村"), &region("\"乙村"), &region("丙村")].concat();
    let faults = faults::<RegionRow>(&file);
    begins(&faults[0], "line 3: a quotation mark that opens here is not closed");
    let cut = format!("{REGIONS}{TOWN}441823107201,\"沙塘");
    begins(&region_fault(&cut[REGIONS.len()..]), "line 3: a quotation mark that opens here is not closed");
    assert_eq!(
        rows::<RegionRow>(format!("{REGIONS}{}{TOWN}", "\n".repeat(300_000))).len(),
        1,
        "empty lines are no line"
    );
}

#[test]
fn amounts_are_yuan() {
    let row = "1,2025-06-30,20000.5,,-3,0,0,0,0,是,0,b,true,natural_disaster/flood:15000; accident:0.01\n";
    let read = messages::<ObservationDraft>(rows([OBSERVATIONS, row].concat())).remove(0);
    assert_eq!((read.wages_fen, read.business_fen, read.property_fen), (2_000_050, 0, -300));
    assert_eq!((read.schooling_guaranteed, read.medical_guaranteed, read.water_safe), (true, false, true));
    assert_eq!(read.housing_grade(), HousingGrade::B);
    let flood = Shock { cause: Risk::NaturalDisaster.into(), disaster: Disaster::Flood.into(), loss_fen: 1_500_000 };
    let accident = Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: 1 };
    assert_eq!(read.shocks, [flood, accident]);
}

#[test]
fn what_is_wrong_with_an_observation_is_named() {
    for (row, expected) in [
        ("1,2025-6,0,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column window_ends_on: is no day: a day such as"),
        ("1,25-06-30,0,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column window_ends_on: is no day: a day such as"),
        ("1,,0,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column window_ends_on: is required"),
        ("1,2025-06-30,1e3,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column wages: is no amount in yuan"),
        ("1,2025-06-30,0,0,0,0,0,0,0,maybe,1,a,1,\n", "line 2, column schooling_guaranteed: is neither 1 nor 0"),
        ("1,2025-06-30,0,0,0,0,0,0,0,,1,a,1,\n", "line 2, column schooling_guaranteed: is empty"),
        (
            "1,2025-06-30,1000000000000,0,0,0,0,0,0,1,1,a,1,\n",
            "line 2, column wages: is 1000000000000, at most 1000000000 is allowed",
        ),
        ("1,2025-06-30,0,0,0,0,0,0,0,1,1,a,1,flood\n", "line 2, column shocks: is not like accident:20000"),
    ] {
        begins(&faults::<ObservationDraft>([OBSERVATIONS, row].concat())[0], expected);
    }
}

#[test]
fn what_is_no_table_is_said_to_be_none() {
    for (bytes, expected) in [
        ("%PDF-1.4\n", "is a page or a document"),
        ("<html><table>", "is a page or a document"),
        ("\u{feff}", "the file is empty"),
    ] {
        begins(&faults::<HouseholdDraft>(bytes)[0], expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("~$户.xlsx");
    std::fs::write(&lock, "\u{4}王").unwrap();
    assert_eq!(crate::open(&lock).unwrap_err().found, crate::Found::LockFile);
}

/// A total below the rows, and who filled them in.
#[test]
fn a_line_with_little_of_what_one_needs_is_one_fault() {
    let total = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, "合计,,,1户,,,,,,,\n"].concat());
    assert_eq!(
        total,
        ["line 3: is it a total or a remark? Take it out, or fill in id_number, relation, health, labour, \
                        schooling, work"]
    );
    // It is none of the lines above it, and breaks none of them up.
    let remark = faults::<HouseholdDraft>([HOUSEHOLDS, HEAD, ",,填表人：王五,,,,,,,,\n", SPOUSE].concat());
    assert_eq!(remark.len(), 1, "{remark:?}");
    begins(&remark[0], "line 3: is it a total or a remark? Take it out, or fill in name, id_number");
    let observation = faults::<ObservationDraft>([OBSERVATIONS, "合计,,20000,,,,,,,,,,,\n"].concat());
    begins(&observation[0], "line 2: is it a total or a remark? Take it out, or fill in window_ends_on, business");
}

#[test]
fn invisible_characters_are_taken_away() {
    let plain = rows::<HouseholdDraft>([HOUSEHOLDS, HEAD].concat());
    for (from, to) in [
        ("陈伯", "\u{200b}陈伯\u{feff}"),
        ("陈伯", "陈\u{200d}伯"),
        ("441823107200", "\u{a0}441823107200\u{3000}"),
        ("11010519491231002X", "\u{200e}11010519491231002X"),
        ("head", "he\u{200b}ad"),
        ("11010519491231002X", "１１０１０５19491231002X"),
    ] {
        assert_eq!(rows::<HouseholdDraft>([HOUSEHOLDS, &HEAD.replace(from, to)].concat()), plain, "{to:?}");
    }
}

#[test]
fn a_field_may_hold_separators_marks_and_line_breaks() {
    for (field, name) in [
        ("\"太平,镇\"", "太平,镇"),
        ("\"太平\"\"镇\"", "太平\"镇"),
        ("太平\"镇", "太平\"镇"),
        ("\"太平\n镇\"", "太平镇"),
        ("\"太平\r\n镇\"", "太平镇"),
    ] {
        let file = format!("{REGIONS}{}{VILLAGE}", TOWN.replace("太平镇", field));
        let read = rows::<RegionRow>(&file);
        assert_eq!(read[0].message.name, name, "{field}");
        let next = 3 + field.matches('\n').count() as u64;
        assert_eq!((read[0].lines[0].line, read[1].lines[0].line), (2, next), "{field:?}");
    }
}

#[test]
fn headers_that_are_wrong_are_named_whole() {
    let header = faults::<RegionRow>("code,name,assisted,colour,Name\n1,2,3,4,5\n");
    begins(&header[0], "line 1, column Name: means the same as the column name");
    begins(&header[1], "line 1: the header lacks level (");
    begins(&header[2], "line 1: the header has D, which nothing is known of; there are code (");
    let choice = Choice { ignore_unknown: true, ..Choice::default() };
    let file = format!("{REGIONS}{TOWN}").replace(",1\n", ",1,x\n").replace("assisted\n", "assisted,colour\n");
    assert_eq!(read_bytes::<RegionRow>(file.as_bytes(), &choice).unwrap().rows.len(), 1);
    assert_eq!(faults::<RegionRow>(""), ["the file is empty"]);
    assert_eq!(faults::<RegionRow>("\n\n"), ["the file is empty"]);
    assert_eq!(faults::<RegionRow>(REGIONS), ["the file has a header, but no rows"]);
    begins(&faults::<RegionRow>("a,b\n1,2\n")[0], "none of the first lines has the headings; needed are code (");
}

#[test]
fn lines_that_are_no_rows_are_named() {
    assert_eq!(
        region_fault("441823107000,太平镇,town,441823000000,1\n441823107200,太平"),
        "line 3: the line ends after 2 of 5 columns: is the file only half there?"
    );
    assert_eq!(region_fault("441823107000,太平镇,town,441823000000,"), "line 2, column assisted: is empty");
    assert_eq!(region_fault(&format!("{TOWN}{REGIONS}{VILLAGE}")), "line 3: is the header once more");
    assert_eq!(region_fault(&TOWN.replace(",1\n", ",1,x\n")), "line 2, column F: has content, but no heading");
    assert_eq!(
        region_fault("441823107000,\"太平镇,town,441823000000,1\n"),
        "line 2: a quotation mark that opens here is not closed"
    );
    assert_eq!(region_fault(&TOWN.replace(",1\n", ",\"1\n")), "line 2: a quotation mark that opens here is not closed");
    begins(&region_fault(&TOWN.replace("town", "镇子")), "line 2, column level: is none of: province (");
}

#[test]
fn a_line_without_an_end_is_refused_in_bounded_memory() {
    let fault = region_fault(&format!("{TOWN}\"{}", "x,".repeat(1_000_000)));
    begins(&fault, "line 3: more than 262144 bytes in one line");
    begins(&region_fault(&"x".repeat(1_000_000)), "line 2: more than 262144 bytes in one line");
}

#[test]
fn what_is_no_text_is_refused() {
    begins(&faults::<RegionRow>(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")[0], "is an old or protected workbook");
    begins(&faults::<RegionRow>(b"PK\x03\x04rest")[0], "is no workbook that can be read");
    let mut cut = format!("{REGIONS}{TOWN}{VILLAGE}").into_bytes();
    cut.extend("441823107201,太平".as_bytes());
    cut.pop();
    begins(&faults::<RegionRow>(&cut)[0], "the file ends in the middle of a character");
    let mut mixed = format!("{REGIONS}{TOWN}{VILLAGE}").into_bytes();
    mixed.extend(b"441823107201,\xcc\xab\xff,village,441823107000,1\n");
    begins(&faults::<RegionRow>(&mixed)[0], "line 4: is not text in UTF-8");
}

#[test]
fn the_field_of_an_answer_is_a_column_and_a_line() {
    let file = [HOUSEHOLDS.replace("id_number", "身份证号").as_str(), HEAD, SPOUSE].concat();
    let Outcome { columns, .. } = read_bytes::<HouseholdDraft>(file.as_bytes(), &Choice::default()).unwrap();
    assert_eq!(columns.of_field("members[1].id_number"), (Some("身份证号".into()), 1));
    assert_eq!(columns.of_field("region_code"), (Some("region_code".into()), 0));
    assert_eq!(columns.of_field("members"), (None, 0));
    let file = [OBSERVATIONS, "1,2025-06-30,0,0,0,0,0,0,0,1,1,a,1,\n"].concat();
    let Outcome { columns, .. } = read_bytes::<ObservationDraft>(file.as_bytes(), &Choice::default()).unwrap();
    assert_eq!(columns.of_field("shocks[1].loss_fen"), (Some("shocks".into()), 0));
}

#[test]
fn columns_of_a_sheet_have_letters() {
    let named = [0, 25, 26, 701, 702].map(|column| letters(column).to_string());
    assert_eq!(named, ["A", "Z", "AA", "ZZ", "AAA"]);
}
