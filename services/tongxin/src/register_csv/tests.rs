//! Files of users, and the errors of invalid registers.

use super::*;

const HEADER: &str = "code,name,level,parent_code,assisted\n";

fn read(bytes: &[u8]) -> Result<Vec<RegionRow>, CsvError> {
    RegisterRows::open(bytes)?.collect()
}

fn error(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn error_after_header(row: &str) -> String {
    error(format!("{HEADER}{row}").as_bytes())
}

#[test]
fn rows_are_read_whatever_wrote_them() {
    let rows = "441823107000,太平镇,town,441823000000,1\n441823107200,太平村委会,village,441823107000,1\n";
    let plain = read(format!("{HEADER}{rows}").as_bytes()).unwrap();
    assert_eq!((plain.len(), plain[1].name.as_str(), plain[1].assisted), (2, "太平村委会", true));
    for file in [
        format!("\u{feff}{HEADER}{rows}"),
        format!("{HEADER}{rows}").replace('\n', "\r\n"),
        format!("{HEADER}{rows}\n\n"),
        format!("{HEADER}{rows}").trim_end().to_owned(),
        format!("{HEADER}{rows}").replace("太平镇", "\"太平镇\""),
    ] {
        assert_eq!(read(file.as_bytes()).unwrap(), plain, "{file:?}");
    }
}

#[test]
fn columns_may_stand_in_any_order() {
    let rows = read("assisted,level,code,parent_code,name\n0,county,441823000000,441800000000,阳山县\n".as_bytes());
    assert_eq!(rows.unwrap()[0].name, "阳山县");
}

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(error(b""), "line 1: the file is empty: a header code,name,level,parent_code,assisted is needed");
    assert!(error(b"\n\n").contains("empty"));
    assert_eq!(read(HEADER.as_bytes()).unwrap(), []);
}

#[test]
fn a_missing_column_is_named() {
    assert_eq!(
        error(b"code,name,level,assisted\n"),
        "line 1, column parent_code: the header lacks this column; it has to be code,name,level,parent_code,assisted"
    );
    assert!(error(b"code,name,level,parent_code,assisted,extra\n").contains("has a column \"extra\"; there are code"));
    assert!(
        error(b"code,code,name,level,parent_code,assisted\n").contains("column code: the header has this column twice")
    );
}

#[test]
fn half_a_file_is_refused() {
    assert_eq!(
        error_after_header("441823107000,太平镇,town,441823000000,1\n441823107200,太平"),
        "line 3, column level: the row ends after 2 of 5 columns: is the file only half there?"
    );
    assert_eq!(
        error_after_header("441823107000,太平镇,town,441823000000,"),
        "line 2, column assisted: is \"\": 0 or 1 is needed"
    );
}

#[test]
fn a_row_that_is_too_long_is_refused() {
    assert_eq!(error_after_header("1,2,3,4,5,6\n"), "line 2: the row has 6 columns, 5 are needed");
    let long = "x".repeat(1_000_000);
    assert_eq!(error_after_header(&long), "line 2: the row is longer than 2000 bytes: is a line end missing?");
    assert!(error_after_header("441823107000,\"太平镇,town,441823000000,1\n").contains("not closed"));
}

#[test]
fn what_is_not_utf8_is_refused() {
    let mut file = HEADER.as_bytes().to_vec();
    // 太平镇 in GBK, as spreadsheets write it.
    file.extend(b"441823107000,\xcc\xab\xc6\xbd\xd5\xf2,town,441823000000,1\n");
    assert_eq!(error(&file), "line 2, column name: is not UTF-8: save the file as UTF-8");
}

#[test]
fn an_unknown_word_is_refused() {
    assert_eq!(
        error_after_header("441823107000,太平镇,镇,441823000000,1"),
        "line 2, column level: \"镇\" is none of: province, city, county, town, village, community"
    );
    assert!(error_after_header("441823107000,太平镇,town,441823000000,yes").contains("0 or 1"));
}

#[test]
fn an_empty_row_may_only_stand_at_the_end() {
    assert_eq!(error_after_header("\n441823107000,太平镇,town,441823000000,1\n"), "line 2: the row is empty");
}
