//! Workbooks made by hand, so that they may be as no spreadsheet writes them.

use std::{
    io::{Cursor, Write as _},
    ops::ControlFlow,
};

use tongxin_files::{Choice, FileRow, Form, RowRead};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The XML of a workbook with one sheet.
pub struct Book {
    pub workbook: String,
    pub styles: String,
    pub strings: String,
    pub sheet: String,
}

impl Book {
    /// A sheet with these rows and what stands after them.
    pub fn of(rows: &str, after: &str) -> Self {
        Self {
            workbook: r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="花名册" sheetId="1" r:id="rId1"/></sheets></workbook>"#.to_owned(),
            // The second format of cells is a date.
            styles: r#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"#.to_owned(),
            strings: r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>太平镇</t></si></sst>"#.to_owned(),
            sheet: format!(r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>{after}</worksheet>"#),
        }
    }

    /// Its file.
    pub fn zipped(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, content) in [
            (
                "[Content_Types].xml",
                r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#,
            ),
            (
                "_rels/.rels",
                r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
            ),
            ("xl/workbook.xml", &self.workbook),
            (
                "xl/_rels/workbook.xml.rels",
                r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#,
            ),
            ("xl/styles.xml", &self.styles),
            ("xl/sharedStrings.xml", &self.strings),
            ("xl/worksheets/sheet1.xml", &self.sheet),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}

/// A row of cells: each is the inner XML of a cell with its attributes, such as `t="s"><v>0</v>`.
pub fn row(number: usize, cells: &[&str]) -> String {
    let cells = ('A'..).zip(cells).map(|(letter, cell)| format!("<c r=\"{letter}{number}\" {cell}</c>"));
    format!("<row r=\"{number}\">{}</row>", cells.collect::<String>())
}

/// A cell with a text.
pub fn text(text: &str) -> String {
    format!("t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is>")
}

/// What is read of a file: rows, and faults as text.
pub fn read<Row: FileRow>(bytes: &[u8]) -> (Vec<Row>, Vec<String>) {
    read_by(&Form::of::<Row>(), bytes)
}

/// The same with a form that is there already.
pub fn read_by<Row: FileRow>(form: &Form, bytes: &[u8]) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let read = tongxin_files::read::<Row>(Cursor::new(bytes), form, &Choice::default(), &mut |read| {
        match read {
            RowRead::Row(row) => rows.push(row.message),
            RowRead::Fault { fault, .. } => faults.push(fault.to_string()),
        }
        ControlFlow::Continue(())
    });
    faults.extend(read.err().unwrap_or_default().iter().map(ToString::to_string));
    (rows, faults)
}
