//! Workbooks: what spreadsheets put into cells, and bombs.

use std::{
    io::{Cursor, Write as _},
    time::Instant,
};

use tongxin_proto::{
    Date,
    monitoring::v1::{HouseholdDraft, ObservationDraft, Warning},
    pairing::v1::RegionRow,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::support::{Book, read, row, text};

fn header() -> String {
    let cells = ["code", "name", "level", "parent_code", "assisted"].map(text);
    row(1, &cells.each_ref().map(String::as_str))
}

fn regions(rows: &[String], after: &str) -> (Vec<RegionRow>, Vec<String>) {
    read(&Book::of(&(header() + &rows.concat()), after).zipped())
}

fn town() -> RegionRow {
    RegionRow {
        code: "441823107000".to_owned(),
        name: "太平镇".to_owned(),
        level: 4,
        parent_code: "441823000000".to_owned(),
        assisted: true,
    }
}

#[test]
fn cells_hold_texts_numbers_words_and_results_of_formulas() {
    let code = text("441823107000");
    let parent = text("441823000000");
    for cells in [
        [&code, "t=\"s\"><v>0</v>", &text("town"), &parent, "><v>1</v>"],
        [&code, "t=\"s\"><v>0</v>", &text("乡镇"), &parent, "t=\"b\"><v>1</v>"],
        ["><v>441823107000</v>", &text(" 太平镇\u{200b}"), &text("Town"), "><v>441823000000</v>", &text("是")],
        ["><v>4.41823107E11</v>", "t=\"str\"><f>A1</f><v>太平镇</v>", &text("town"), &parent, "><f>1</f><v>1</v>"],
    ] {
        let (rows, faults) = regions(&[row(2, &cells), "<row r=\"3\"><c r=\"A3\" s=\"1\"/></row>".to_owned()], "");
        assert_eq!((rows, faults), (vec![town()], Vec::new()), "{cells:?}");
    }
}

#[test]
fn what_is_wrong_with_a_cell_is_named_by_sheet_line_and_column() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    for (at, cell, expected) in [
        (0, "><v>4418231070001234567</v>", "column code: was changed by a spreadsheet"),
        (0, "><v>44182310.5</v>", "column code: was changed by a spreadsheet"),
        (0, "s=\"1\"><v>45992</v>", "column code: is a date"),
        (1, "><f>A1</f>", "column name: is a formula without a result"),
        (1, "t=\"e\"><v>#N/A</v>", "column name: is a formula that failed"),
        (1, "t=\"s\"><v>99</v>", "is no workbook that can be read"),
        (4, "><v>2</v>", "column assisted: is neither 1 nor 0"),
    ] {
        let mut cells = good.each_ref().map(String::as_str);
        cells[at] = cell;
        let (rows, faults) = regions(&[row(2, &cells)], "");
        assert_eq!(rows, []);
        assert!(faults[0].contains(expected), "{faults:?}");
        assert!(faults[0].starts_with("sheet 花名册, line 2, ") || at == 1 && cell.contains("99"), "{faults:?}");
    }
    let (_, faults) = regions(
        &[
            row(2, &good.each_ref().map(String::as_str)),
            row(4, &[&text("441823107200"), &text("太平"), &text("village")]),
        ],
        "",
    );
    assert!(
        faults.iter().any(|fault| fault.starts_with("sheet 花名册, line 4, column assisted: is empty")),
        "{faults:?}"
    );
}

#[test]
fn days_are_date_cells_or_texts() {
    let headings = ["id_number", "cause", "occurred_on", "reference"].map(text);
    let of = |day: &str| {
        let cells = [text("11010519491231002X"), text("illness"), String::new(), text("A-1")];
        let cells = [cells[0].as_str(), &cells[1], day, &cells[3]];
        let rows = row(1, &headings.each_ref().map(String::as_str)) + &row(2, &cells);
        read::<Warning>(&Book::of(&rows, "").zipped())
    };
    let day = Some(Date { year: 2025, month: 12, day: 1 });
    for cell in [
        "s=\"1\"><v>45992</v>",
        "s=\"1\"><v>45992.75</v>",
        "t=\"d\"><v>2025-12-01T00:00:00</v>",
        &text("2025年12月1日"),
        &text("2025/12/1"),
    ] {
        let (rows, faults) = of(cell);
        assert_eq!((rows.first().and_then(|row| row.occurred_on), faults), (day, Vec::new()), "{cell}");
    }
    for (cell, expected) in [
        ("><v>45992</v>", "is a number: format the column as a date"),
        (text("25-12-01").as_str(), "is no day: a day such as 2025-12-31 is needed"),
        ("s=\"1\"><v>0.5</v>", "is a number"),
    ] {
        let (_, faults) = of(cell);
        assert!(
            faults[0].starts_with("sheet 花名册, line 2, column occurred_on: ") && faults[0].contains(expected),
            "{faults:?}"
        );
    }
}

#[test]
fn merged_headings_are_named_and_merged_cells_where_each_line_needs_its_own() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    let good = row(2, &good.each_ref().map(String::as_str));
    let merged = |region: &str| format!("<mergeCells count=\"1\"><mergeCell ref=\"{region}\"/></mergeCells>");
    let (_, faults) = regions(std::slice::from_ref(&good), &merged("B1:C1"));
    assert!(faults[0].starts_with("sheet 花名册, line 1, column name: the heading is merged"), "{faults:?}");
    let (_, faults) = regions(std::slice::from_ref(&good), &merged("C2:C5"));
    assert_eq!(
        faults,
        ["sheet 花名册, line 2, column level: is merged down to line 5: unmerge it, each line needs its own value"]
    );

    // What is about a household may be merged over its members.
    let headings = [
        "household_number",
        "region_code",
        "support",
        "name",
        "id_number",
        "relation",
        "health",
        "labour",
        "schooling",
        "work",
    ];
    let member = |number: usize, of_household: [&str; 3], name: &str, id_number: &str, relation: &str| {
        let [household, region, support] = of_household;
        let cells =
            [household, region, support, name, id_number, relation, "健康", "ordinary", "not_at_school", "none"];
        row(number, &cells.map(text).each_ref().map(String::as_str))
    };
    let rows = [
        row(1, &headings.map(text).each_ref().map(String::as_str)),
        member(2, ["1", "441823107200", "none"], "陈伯", "11010519491231002X", "head"),
        member(3, ["", "", ""], "李姨", "110101202311012176", "spouse"),
    ];
    let (households, faults) = read::<HouseholdDraft>(&Book::of(&rows.concat(), &merged("A2:A3")).zipped());
    assert_eq!((households.len(), households[0].members.len(), faults), (1, 2, Vec::new()));
    let (_, faults) = read::<HouseholdDraft>(&Book::of(&rows.concat(), &merged("D2:D3")).zipped());
    assert!(faults[0].starts_with("sheet 花名册, line 2, column name: is merged down to line 3"), "{faults:?}");
}

#[test]
fn the_first_visible_sheet_is_read() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    let mut book = Book::of(&(header() + &row(2, &good.each_ref().map(String::as_str))), "");
    book.workbook = book
        .workbook
        .replace("<sheet name", "<sheet name=\"hidden\" state=\"hidden\" sheetId=\"2\" r:id=\"rId1\"/><sheet name");
    assert_eq!(read::<RegionRow>(&book.zipped()), (vec![town()], Vec::new()));
}

#[test]
fn another_sheet_with_the_headings_is_named() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    let mut book = Book::of(&(header() + &row(2, &good.each_ref().map(String::as_str))), "");
    book.workbook = book.workbook.replace("</sheets>", "<sheet name=\"村2\" sheetId=\"2\" r:id=\"rId1\"/></sheets>");
    let (rows, faults) = read::<RegionRow>(&book.zipped());
    assert!(rows.is_empty() && faults[0].starts_with("the sheets 村2 have the headings, too"), "{faults:?}");
}

/// A file with one entry that inflates to so many bytes.
fn bomb(name: &str, megabytes: usize, piece: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file(name, options).unwrap();
    if name.contains("sheet1") {
        zip.write_all(b"<worksheet>").unwrap();
    }
    let piece = piece.repeat((1 << 20) / piece.len());
    for _ in 0..megabytes {
        zip.write_all(&piece).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn bombs_are_refused_in_bounded_memory() {
    let begun = Instant::now();
    let before = peak_kib();
    for (bytes, expected) in [
        (bomb("xl/sharedStrings.xml", 200, b"<si><t>x</t></si>"), "bytes of texts"),
        (bomb("xl/sharedStrings.xml", 70, b"<a>"), "levels of elements"),
        (bomb("xl/worksheets/sheet1.xml", 200, b"<c/>"), "cells"),
        (bomb("xl/worksheets/sheet1.xml", 20, b"xxxx"), "bytes in one element"),
        (bomb("xl/sharedStrings.xml", 60, b"<si><t>x</t></si>"), "texts and formats"),
    ] {
        assert!(bytes.len() < 8 << 20, "{}", bytes.len());
        let (rows, faults) = read::<ObservationDraft>(&bytes);
        assert!(rows.is_empty() && faults[0].starts_with("more than ") && faults[0].contains(expected), "{faults:?}");
    }
    let used = peak_kib().saturating_sub(before);
    assert!(used < 100 << 10, "{used} KiB more in {:?}", begun.elapsed());
}

/// Whoever reads workbooks takes what stands before the first element for a text.
#[test]
fn what_does_not_begin_as_xml_is_not_read() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    let book = || Book::of(&(header() + &row(2, &good.each_ref().map(String::as_str))), "");
    assert_eq!(read::<RegionRow>(&book().zipped()).0, [town()]);
    for hide in [
        (|book: &mut Book| book.sheet.insert(0, 'x')) as fn(&mut Book),
        |book| book.styles.insert_str(0, "\u{89}PNG"),
        |book| book.strings.insert_str(0, &" ".repeat(40_000)),
    ] {
        let mut book = book();
        hide(&mut book);
        let (rows, faults) = read::<RegionRow>(&book.zipped());
        assert!(rows.is_empty() && faults[0].starts_with("is no workbook that can be read"), "{faults:?}");
    }
}

#[test]
fn a_cell_that_is_stated_twice_is_no_cell() {
    let cells = "<row r=\"2\"><c r=\"A2\"><v>440000000000</v></c><c r=\"A2\"><v>450000000000</v></c></row>";
    let (rows, faults) = read::<RegionRow>(&Book::of(&(header() + cells), "").zipped());
    assert!(rows.is_empty() && faults[0].contains("it states a cell twice"), "{faults:?}");
}

/// A real picture is none of the reader's affairs, and many names for one entry are no work.
#[test]
fn entries_that_are_no_xml_are_passed_over() {
    let mut zip = ZipWriter::new_append(Cursor::new(Book::of(&header(), "").zipped())).unwrap();
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("xl/media/image1.png", options).unwrap();
    zip.write_all(&[b"\x89PNG\r\n".to_vec(), vec![b'<'; 1 << 20]].concat()).unwrap();
    let (rows, faults) = read::<RegionRow>(&zip.finish().unwrap().into_inner());
    assert_eq!((rows, faults), (Vec::new(), vec!["the file has a header, but no rows".to_owned()]));
}

/// The number of entries is bounded by every end that the archive may be opened by.
#[test]
fn an_archive_with_too_many_entries_is_not_opened() {
    let many = |count: usize| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in 0..count {
            zip.start_file(entry.to_string(), SimpleFileOptions::default()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let mut hidden = many(2_001);
    // An end after the end, whose directory is nowhere.
    hidden.extend([b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec(), vec![0xee; 8], vec![0; 2]].concat());
    let mut larger = many(1);
    let end = larger.len() - 22;
    larger.splice(end..end, [b"PK\x06\x07".to_vec(), vec![0; 16]].concat());
    for (bytes, expected) in [
        (many(2_001), "more than 2000 entries of its archive"),
        (hidden, "more than 2000 entries of its archive"),
        (larger, "is no workbook that can be read (its archive is of a kind for larger files)"),
    ] {
        let (rows, faults) = read::<RegionRow>(&bytes);
        assert!(rows.is_empty() && faults[0].starts_with(expected), "{faults:?}");
    }
}

#[test]
fn the_sheet_with_the_headings_is_read_wherever_it_stands() {
    let good = [text("441823107000"), text("太平镇"), text("town"), text("441823000000"), text("1")];
    let mut book = Book::of(&(header() + &row(2, &good.each_ref().map(String::as_str))), "");
    let first = "<sheets><sheet name=\"说明\" sheetId=\"7\" r:id=\"rId4\"/>";
    book.workbook = book.workbook.replace("<sheets>", first);
    let mut zip = ZipWriter::new_append(Cursor::new(book.zipped())).unwrap();
    zip.start_file("xl/worksheets/sheet2.xml", SimpleFileOptions::default()).unwrap();
    let remark = row(1, &[&text("填写说明：逐行填写")]);
    zip.write_all(format!("<worksheet><sheetData>{remark}</sheetData></worksheet>").as_bytes()).unwrap();
    assert_eq!(read::<RegionRow>(&zip.finish().unwrap().into_inner()), (vec![town()], Vec::new()));
}

/// The most memory that this process had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
