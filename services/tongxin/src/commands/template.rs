//! `tongxin template`: workbooks to fill in and import.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use tongxin_files::{FileRow, Form, WriteError};
use tongxin_proto::{
    Date,
    monitoring::v1::{
        Health, HouseholdDraft, HousingGrade, Insurance, LabourAbility, MemberDraft, ObservationDraft, Relation, Risk,
        Schooling, Shock, SocialSupport, Warning, Work,
    },
    pairing::v1::{OrganisationDraft, OrganisationKind, OrganisationSide, PairingDraft, PairingKind, RegionRow},
    register::v1::RegionLevel,
};

use crate::lang::{lang, told};

/// Writes an XLSX workbook with the headings of a kind of file, notes, the words that are allowed, and examples.
///
/// What was filled in on its first sheet is imported by `tongxin import`. --lang zh writes headings and words in Chinese.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin template households
  tongxin template observations --lang zh --out 收支情况.xlsx")]
pub struct Args {
    /// What is to be imported
    #[arg(value_name = "KIND")]
    kind: Kind,

    /// File to write; KIND.xlsx if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Regions,
    Organisations,
    Pairings,
    Households,
    Observations,
    Warnings,
}

impl Kind {
    /// The name of the sheet, in English and Chinese.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Regions => ["regions", "行政区划"],
            Self::Organisations => ["organisations", "单位"],
            Self::Pairings => ["pairings", "结对"],
            Self::Households => ["households", "监测户"],
            Self::Observations => ["observations", "收支情况"],
            Self::Warnings => ["warnings", "预警"],
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let [en, zh] = args.kind.names();
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{en}.xlsx")));
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
        bail!(told!("a template is a workbook: --out has to end in .xlsx", "模板是工作簿：--out 须以 .xlsx 结尾"));
    }
    let file = path.display();
    if path.exists() {
        bail!(told!(
            "{file} is there already: move it away, or name another with --out",
            "{file} 已存在：请先移走，或用 --out 另选文件名"
        ));
    }
    write(args.kind, &path, lang().of(en, zh)).with_context(|| file.to_string())?;
    note!(
        "{}",
        told!(
            "{file}: fill in its first sheet, then: tongxin import {en} {file}",
            "{file}：请填写第一个工作表，然后运行：tongxin import {en} {file}"
        )
    );
    Ok(())
}

fn write(kind: Kind, path: &Path, sheet: &str) -> Result<(), WriteError> {
    match kind {
        Kind::Regions => of(path, sheet, &regions()),
        Kind::Organisations => of(path, sheet, &organisations()),
        Kind::Pairings => of(path, sheet, &pairings()),
        Kind::Households => of(path, sheet, &[household()]),
        Kind::Observations => of(path, sheet, &[observation()]),
        Kind::Warnings => of(path, sheet, &[warning()]),
    }
}

fn of<Row: FileRow>(path: &Path, sheet: &str, examples: &[Row]) -> Result<(), WriteError> {
    tongxin_files::template(path, &Form::of::<Row>(), (sheet, examples), lang())
}

const VILLAGE: &str = "441823107200";
const HOUSEHOLD: &str = "4418230001";

const fn day(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

fn regions() -> [RegionRow; 2] {
    let row = |code: &str, name: &str, level: RegionLevel, parent: &str| RegionRow {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        parent_code: parent.to_owned(),
        assisted: true,
    };
    [
        row("441823107000", "太平镇", RegionLevel::Town, "441823000000"),
        row(VILLAGE, "太平村委会", RegionLevel::Village, "441823107000"),
    ]
}

fn organisations() -> [OrganisationDraft; 2] {
    let school = |name: &str, side: OrganisationSide, region_code: &str| OrganisationDraft {
        name: name.to_owned(),
        kind: OrganisationKind::School.into(),
        side: side.into(),
        region_code: region_code.to_owned(),
        ..OrganisationDraft::default()
    };
    [
        school("广州市示例小学", OrganisationSide::Supporter, "440106000000"),
        school("太平镇中心小学", OrganisationSide::Recipient, "441823107000"),
    ]
}

/// The credit codes have right check characters, and belong to nobody.
fn pairings() -> [PairingDraft; 1] {
    [PairingDraft {
        kind: PairingKind::School.into(),
        supporter_credit_code: "12440100000000001A".to_owned(),
        recipient_credit_code: "12441823000000002T".to_owned(),
        agreement_number: "2026-01".to_owned(),
        starts_on: Some(day(2026, 1, 1)),
        ..PairingDraft::default()
    }]
}

/// The numbers of the persons are those of an example of GB 11643, and invented.
fn household() -> HouseholdDraft {
    let member = |name: &str, id_number: &str, relation: Relation| MemberDraft {
        name: name.to_owned(),
        id_number: id_number.to_owned(),
        relation: relation.into(),
        health: vec![Health::Healthy.into()],
        labour: LabourAbility::Ordinary.into(),
        schooling: Schooling::NotAtSchool.into(),
        insurances: vec![Insurance::ResidentMedical.into()],
        work: Work::Farming.into(),
        ..MemberDraft::default()
    };
    HouseholdDraft {
        household_number: HOUSEHOLD.to_owned(),
        region_code: VILLAGE.to_owned(),
        address: "3组12号".to_owned(),
        support: SocialSupport::None.into(),
        members: vec![
            member("陈伯", "11010519491231002X", Relation::Head),
            MemberDraft {
                labour: LabourAbility::None.into(),
                schooling: Schooling::BeforeSchool.into(),
                work: Work::None.into(),
                ..member("陈小", "110101202311012176", Relation::Child)
            },
        ],
        registered_on: Some(day(2026, 1, 1)),
        ..HouseholdDraft::default()
    }
}

fn observation() -> ObservationDraft {
    ObservationDraft {
        household_number: HOUSEHOLD.to_owned(),
        region_code: VILLAGE.to_owned(),
        window_ends_on: Some(day(2025, 12, 31)),
        wages_fen: 2_000_000,
        business_fen: 350_050,
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::B.into(),
        water_safe: true,
        shocks: vec![Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: 2_000_000 }],
        ..ObservationDraft::default()
    }
}

fn warning() -> Warning {
    Warning {
        id_number: "11010519491231002X".to_owned(),
        cause: Risk::Illness.into(),
        occurred_on: Some(day(2025, 10, 31)),
        reference: "YB-2025/001234".to_owned(),
        region_code: VILLAGE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use tongxin_files::{Choice, RowRead};

    use super::*;

    fn check<Row: FileRow + PartialEq + std::fmt::Debug>(examples: &[Row]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("template.xlsx");
        of(&path, "sheet", examples).unwrap();
        let choice = Choice { sheet: Some("examples".to_owned()), ..Choice::default() };
        let mut rows = Vec::new();
        tongxin_files::read::<Row>(tongxin_files::open(&path).unwrap(), &Form::of::<Row>(), &choice, &mut |read| {
            match read {
                RowRead::Row(row) => rows.push(row.message),
                RowRead::Fault { fault, .. } => panic!("{fault}"),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(rows, examples);
    }

    #[test]
    fn the_examples_of_each_template_can_be_imported() {
        check(&regions());
        check(&organisations());
        check(&pairings());
        check(&[household()]);
        check(&[observation()]);
        check(&[warning()]);
    }
}
