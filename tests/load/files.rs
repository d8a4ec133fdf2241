//! Files: a million lines of CSV and 200,000 rows of XLSX are read, each by a process of its own whose memory is measured.

use std::{
    fs::File,
    io::BufWriter,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use rust_xlsxwriter::Workbook;
use tongxin_files::{Cell, Choice, FileRow, Form, Lang, Output, RowRead};
use tongxin_proto::{
    Date,
    monitoring::v1::{HouseholdDraft, HousingGrade, ObservationDraft},
    pairing::v1::RegionRow,
};

use crate::rounds::{ROUNDS, Table, median};

/// The argument by which this program is started again to read one file.
pub const READ: &str = "read-file";

const CSV_ROWS: usize = 1_000_000;
const XLSX_ROWS: usize = 200_000;

pub fn measure(folder: &Path, table: &mut Table) -> Result<()> {
    let csv = folder.join("observations.csv");
    write_csv(&csv)?;
    read_rounds(&csv, "observations", CSV_ROWS, table)?;
    let xlsx = folder.join("observations.xlsx");
    write_shared(&xlsx)?;
    read_rounds(&xlsx, "observations", XLSX_ROWS, table)?;
    let inline = folder.join("inline.xlsx");
    write_inline(&inline)?;
    read_rounds(&inline, "observations", XLSX_ROWS, table)
}

/// Reads a file in processes of their own, and adds the median.
fn read_rounds(path: &Path, kind: &str, rows: usize, table: &mut Table) -> Result<()> {
    let mut rates = Vec::new();
    let mut memory = 0;
    for _ in 0..ROUNDS {
        let read = Command::new(std::env::current_exe()?).args([READ, kind]).arg(path).output()?;
        ensure!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let line = String::from_utf8(read.stdout)?;
        let mut words = line.split_whitespace();
        let mut word = || words.next().context("too few words");
        ensure!(word()?.parse::<usize>()? == rows, "{line}");
        rates.push(word()?.parse::<f64>()?);
        memory = memory.max(word()?.parse::<u64>()?);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let size = path.metadata()?.len() >> 20;
    table.note(
        &format!("reading {rows} rows of {name} ({size} MiB), checked by the contract"),
        &format!("{:.0} rows/s, at most {} MiB", median(rates), memory / 1024),
    );
    Ok(())
}

/// Reads a file, and prints the rows, the rate, and the most memory that this process had in KiB.
pub fn read(arguments: &[String]) -> Result<()> {
    let [kind, path] = arguments else { anyhow::bail!("kind and path are needed") };
    let path = PathBuf::from(path);
    match kind.as_str() {
        "observations" => read_kind::<ObservationDraft>(&path),
        "households" => read_kind::<HouseholdDraft>(&path),
        _ => read_kind::<RegionRow>(&path),
    }
}

fn read_kind<Row: FileRow>(path: &Path) -> Result<()> {
    let form = Form::of::<Row>();
    let (begun, mut rows) = (Instant::now(), 0_usize);
    let mut wrong = None;
    let read =
        tongxin_files::read::<Row>(tongxin_files::open(path)?, &form, &Choice::default(), &mut |read| match read {
            RowRead::Row(_) => {
                rows += 1;
                ControlFlow::Continue(())
            }
            RowRead::Fault { fault, .. } => {
                wrong = Some(fault);
                ControlFlow::Break(())
            }
        });
    if let Some(fault) = wrong.or(read.err().and_then(|faults| faults.into_iter().next())) {
        return Err(fault.into());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = rows as f64 / begun.elapsed().as_secs_f64();
    println!("{rows} {rate} {}", peak_kib()?);
    Ok(())
}

fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn observation(number: usize) -> ObservationDraft {
    ObservationDraft {
        household_number: format!("4418{number:014}"),
        region_code: "441823107200".to_owned(),
        window_ends_on: Some(Date { year: 2025, month: 12, day: 31 }),
        wages_fen: 2_000_050 + i64::try_from(number % 1_000).unwrap_or_default(),
        business_fen: 350_000,
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::B.into(),
        water_safe: true,
        ..ObservationDraft::default()
    }
}

fn write_csv(path: &Path) -> Result<()> {
    let form = Form::of::<ObservationDraft>();
    let mut output = Output::create(path, "observations")?;
    output.line(&form.headings(Lang::En))?;
    for number in 0..CSV_ROWS {
        for line in form.lines_of(&observation(number), Lang::En) {
            output.line(&line)?;
        }
    }
    Ok(output.finish()?)
}

/// As a spreadsheet writes it: texts are shared by the cells that hold them.
fn write_shared(path: &Path) -> Result<()> {
    let form = Form::of::<ObservationDraft>();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let lines = (0..XLSX_ROWS).flat_map(|number| form.lines_of(&observation(number), Lang::Zh));
    for (row, line) in (0..).zip(std::iter::once(form.headings(Lang::Zh)).chain(lines)) {
        for (column, cell) in (0..).zip(line) {
            if let Cell::Text(text) = cell {
                sheet.write_string(row, column, text)?;
            } else if let Cell::Day(day) = cell {
                sheet.write_string(row, column, day.to_string())?;
            }
        }
    }
    workbook.save_to_writer(BufWriter::new(File::create(path)?))?;
    Ok(())
}

/// As we write it: each cell has its own text.
fn write_inline(path: &Path) -> Result<()> {
    let form = Form::of::<ObservationDraft>();
    let mut output = Output::create(path, "observations")?;
    output.line(&form.headings(Lang::Zh))?;
    for number in 0..XLSX_ROWS {
        for line in form.lines_of(&observation(number), Lang::Zh) {
            output.line(&line)?;
        }
    }
    Ok(output.finish()?)
}
