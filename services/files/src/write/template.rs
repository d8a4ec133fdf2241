//! Templates: a workbook with the headings, what they mean, the words that are allowed, and examples.

use std::path::Path;

use rust_xlsxwriter::{Color, DataValidation, Format, FormatAlign, Formula, Note, Workbook, Worksheet, XlsxError};

use super::output::{Formats, WriteError, write_cell};
use crate::{
    cell::Cell,
    form::{COLUMNS, Column, EXAMPLES, Form, Holds, WORDS},
    lang::Lang,
};

/// Rows of a template for which the words are offered.
const ROWS: u32 = 20_000;

/// Writes a template with a sheet to fill in, one with examples, one that explains the columns, and the words.
///
/// # Errors
/// If the file cannot be written.
pub fn template<Row: prost::Message>(
    path: &Path,
    form: &Form,
    (name, examples): (&str, &[Row]),
    lang: Lang,
) -> Result<(), WriteError> {
    let formats = Formats::new();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name(name)?;
    header(sheet, form, lang, &formats)?;
    offer_words(sheet, form, lang)?;

    let sheet = workbook.add_worksheet().set_name(lang.of(EXAMPLES[0], EXAMPLES[1]))?;
    header(sheet, form, lang, &formats)?;
    let lines = examples.iter().flat_map(|example| form.lines_of(example, lang));
    for (row, line) in (1..).zip(lines) {
        for (column, cell) in (0..).zip(&line) {
            write_cell(sheet, (row, column), cell, &formats)?;
        }
    }

    let sheet = workbook.add_worksheet().set_name(lang.of(COLUMNS[0], COLUMNS[1]))?;
    explain(sheet, form, lang, &formats)?;
    let sheet = workbook.add_worksheet().set_name(lang.of(WORDS[0], WORDS[1]))?;
    list_words(sheet, form, lang, &formats)?;
    Ok(workbook.save(path)?)
}

fn header(sheet: &mut Worksheet, form: &Form, lang: Lang, formats: &Formats) -> Result<(), XlsxError> {
    let heading = Format::new().set_bold().set_align(FormatAlign::Center).set_num_format("@");
    let needed = heading.clone().set_background_color(Color::RGB(0xff_f2cc));
    for (at, column) in (0..).zip(&form.columns) {
        let format = if column.optional { &heading } else { &needed };
        sheet.write_string_with_format(0, at, column.heading(lang), format)?;
        let note = &column.note[usize::from(lang == Lang::Zh)];
        if !note.is_empty() {
            sheet.insert_note(0, at, &Note::new(note))?;
        }
        match column.holds {
            Holds::Day => sheet.set_column_format(at, &formats.day)?,
            Holds::Yuan | Holds::Count => sheet,
            _ => sheet.set_column_format(at, &formats.text)?,
        };
        let wide = if column.is_number() { 22.0 } else { 14.0 };
        sheet.set_column_width(at, wide)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// The words that a cell of a column may hold one of.
fn words(column: &Column, lang: Lang) -> Vec<String> {
    match &column.holds {
        Holds::Word(vocabulary) | Holds::Words(vocabulary) => {
            vocabulary.values.iter().map(|(number, ..)| vocabulary.word(*number, lang).to_owned()).collect()
        }
        Holds::Truth => lang.of(["1", "0"], ["是", "否"]).map(str::to_owned).into(),
        _ => Vec::new(),
    }
}

/// Drop-downs; where several words may stand in a cell, a choice that is not on the list is let pass.
fn offer_words(sheet: &mut Worksheet, form: &Form, lang: Lang) -> Result<(), XlsxError> {
    for (at, column) in (0..).zip(&form.columns) {
        let words = words(column, lang);
        if words.is_empty() || matches!(column.holds, Holds::Words(_)) {
            continue;
        }
        let letters = rust_xlsxwriter::utility::column_number_to_name(at);
        let list = format!("='{}'!${letters}$2:${letters}${}", lang.of(WORDS[0], WORDS[1]), words.len() + 1);
        let validation = DataValidation::new()
            .allow_list_formula(Formula::new(list))
            .set_error_title(lang.of("not one of the words", "不是可选词"))?
            .set_error_message(lang.of("Choose one of the list.", "请从下拉列表中选择。"))?;
        sheet.add_data_validation(1, at, ROWS, at, &validation)?;
    }
    Ok(())
}

fn explain(sheet: &mut Worksheet, form: &Form, lang: Lang, formats: &Formats) -> Result<(), XlsxError> {
    let head = lang.of(["column", "needed", "what to write", "words"], ["列", "是否必填", "填写要求", "可选词"]);
    let widths = [24.0, 10.0, 70.0, 70.0];
    for ((at, text), width) in (0..).zip(head).zip(widths) {
        sheet.write_string_with_format(0, at, text, &Format::new().set_bold())?;
        sheet.set_column_width(at, width)?;
    }
    for (row, column) in (1..).zip(&form.columns) {
        let needed = if column.optional { lang.of("no", "否") } else { lang.of("yes", "是") };
        let note = column.note[usize::from(lang == Lang::Zh)].as_str();
        let words = words(column, lang).join(lang.of(", ", "、"));
        for (at, text) in (0..).zip([column.heading(lang), needed, note, words.as_str()]) {
            write_cell(sheet, (row, at), &Cell::Text(text.to_owned()), formats)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// A column of words below the heading of each column, in the order of the first sheet.
fn list_words(sheet: &mut Worksheet, form: &Form, lang: Lang, formats: &Formats) -> Result<(), XlsxError> {
    for (at, column) in (0..).zip(&form.columns) {
        sheet.write_string_with_format(0, at, column.heading(lang), &Format::new().set_bold())?;
        for (row, word) in (1..).zip(words(column, lang)) {
            write_cell(sheet, (row, at), &Cell::Text(word), formats)?;
        }
    }
    Ok(())
}
