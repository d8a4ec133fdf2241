//! What is written is read again as what it was.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use tongxin_proto::{
    Date,
    monitoring::v1::{
        Disaster, Health, HouseholdDraft, HousingGrade, Insurance, LabourAbility, MemberDraft, ObservationDraft,
        Relation, Risk, Schooling, Shock, SocialSupport, Work,
    },
};

use super::*;
use crate::{
    kinds::FileRow,
    read::{Choice, RowRead, open, read},
};

fn household(number: &str) -> HouseholdDraft {
    let member = |name: &str, id_number: &str, relation: Relation| MemberDraft {
        name: name.to_owned(),
        id_number: id_number.to_owned(),
        relation: relation.into(),
        health: vec![Health::SeriousIllness.into(), Health::Disabled.into()],
        labour: LabourAbility::Ordinary.into(),
        schooling: Schooling::NotAtSchool.into(),
        insurances: vec![Insurance::ResidentMedical.into()],
        work: Work::Farming.into(),
        work_months: 3,
        phone: "13800000000".to_owned(),
    };
    HouseholdDraft {
        household_number: number.to_owned(),
        region_code: "441823107200".to_owned(),
        address: "=1+1".to_owned(),
        bank_account: "6217003320000120007".to_owned(),
        lifted_from_poverty: true,
        support: SocialSupport::None.into(),
        members: vec![
            member("陈伯", "11010519491231002X", Relation::Head),
            member("-李\"姨,", "110101202311012176", Relation::Spouse),
        ],
        registered_on: Some(Date { year: 2025, month: 1, day: 31 }),
        ..HouseholdDraft::default()
    }
}

fn observation() -> ObservationDraft {
    ObservationDraft {
        household_number: "0044182300012345678".to_owned(),
        region_code: "441823107200".to_owned(),
        window_ends_on: Some(Date { year: 2025, month: 12, day: 31 }),
        wages_fen: 2_000_050,
        business_fen: 7,
        schooling_guaranteed: true,
        housing_grade: HousingGrade::B.into(),
        shocks: vec![
            Shock { cause: Risk::NaturalDisaster.into(), disaster: Disaster::Flood.into(), loss_fen: 1_500_000 },
            Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: 1 },
        ],
        ..ObservationDraft::default()
    }
}

fn write<Row: prost::Message>(path: &Path, form: &Form, rows: &[Row], lang: Lang) {
    let mut output = Output::create(path, "sheet").unwrap();
    output.line(&form.headings(lang)).unwrap();
    for line in rows.iter().flat_map(|row| form.lines_of(row, lang)) {
        output.line(&line).unwrap();
    }
    output.finish().unwrap();
}

fn read_rows<Row: FileRow>(path: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    read::<Row>(open(path).unwrap(), &Form::of::<Row>(), &Choice::default(), &mut |read| {
        match read {
            RowRead::Row(row) => rows.push(row.message),
            RowRead::Fault { fault, .. } => panic!("{fault}"),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    rows
}

#[test]
fn rows_come_back_from_every_kind_of_file_in_every_language() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rows.csv", "rows.xlsx"] {
        for lang in [Lang::En, Lang::Zh] {
            let path = folder.path().join(format!("{lang:?}-{name}"));
            let households = [household("4418230001"), household("4418230002")];
            write(&path, &Form::of::<HouseholdDraft>(), &households, lang);
            assert_eq!(read_rows::<HouseholdDraft>(&path), households, "{name} {lang:?}");
            let path = folder.path().join(format!("observations-{lang:?}-{name}"));
            write(&path, &Form::of::<ObservationDraft>(), &[observation()], lang);
            assert_eq!(read_rows::<ObservationDraft>(&path), [observation()], "{name} {lang:?}");
        }
    }
}

#[test]
fn a_spreadsheet_runs_nothing_of_a_csv_file_and_rounds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    write(&path, &Form::of::<HouseholdDraft>(), &[household("4418230001")], Lang::En);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with('\u{feff}'), "Excel takes it for another encoding");
    let fields: Vec<_> = text.split([',', '\r', '\n']).map(|field| field.trim_matches('"')).collect();
    for field in ["'=1+1", "\t441823107200", "\t6217003320000120007"] {
        assert!(fields.contains(&field), "{field:?} in {text}");
    }
    assert!(!fields.iter().any(|field| field.starts_with(['=', '+', '@'])), "{text}");
}

#[test]
fn a_file_that_is_not_finished_is_not_there_and_none_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rows.csv", "rows.xlsx"] {
        let path = folder.path().join(name);
        Output::create(&path, "sheet").unwrap().line(&[Cell::Text("a".to_owned())]).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
        std::fs::write(&path, "mine").unwrap();
        assert!(Output::create(&path, "sheet").unwrap().finish().is_err(), "{name}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_filled_template_is_read_and_an_empty_one_has_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let form = Form::of::<HouseholdDraft>();
    for lang in [Lang::En, Lang::Zh] {
        let path = folder.path().join("template.xlsx");
        template(&path, &form, (lang.of("households", "监测户"), &[household("1")]), lang).unwrap();
        let empty =
            read::<HouseholdDraft>(open(&path).unwrap(), &form, &Choice::default(), &mut |_| ControlFlow::Continue(()));
        assert_eq!(empty.unwrap_err()[0].to_string(), "the file has a header, but no rows");
        let examples = Choice { sheet: Some(lang.of("examples", "示例").to_owned()), ..Choice::default() };
        let mut rows = 0;
        let read = read::<HouseholdDraft>(open(&path).unwrap(), &form, &examples, &mut |read| {
            rows += usize::from(matches!(read, RowRead::Row(row) if row.message == household("1")));
            ControlFlow::Continue(())
        });
        assert_eq!((read.is_ok(), rows), (true, 1));
        let other = Choice { sheet: Some("other".to_owned()), ..Choice::default() };
        let missing =
            crate::read::read::<HouseholdDraft>(
                open(&path).unwrap(),
                &form,
                &other,
                &mut |_| ControlFlow::Continue(()),
            );
        assert!(missing.unwrap_err()[0].to_string().starts_with("there is no such sheet; there are"));
    }
}

#[test]
fn refused_rows_are_written_with_the_reason_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let form = Form::of::<HouseholdDraft>();
    for name in ["rows.csv", "rows.xlsx"] {
        let (from, to, again) = (
            folder.path().join(name),
            folder.path().join(format!("to-{name}")),
            folder.path().join(format!("again-{name}")),
        );
        let households = [household("1"), household("2"), household("3")];
        write(&from, &form, &households, Lang::Zh);
        let reasons = BTreeMap::from([(4, "=no such region".to_owned()), (5, String::new())]);
        assert_eq!(rejects((&from, &to), &form, &Choice::default(), &reasons, Lang::Zh).unwrap(), 2);
        assert_eq!(read_rows::<HouseholdDraft>(&to), households[1..2]);
        let reasons = BTreeMap::from([(2, "still none".to_owned()), (3, String::new())]);
        assert_eq!(rejects((&to, &again), &form, &Choice::default(), &reasons, Lang::En).unwrap(), 2);
        assert_eq!(read_rows::<HouseholdDraft>(&again), households[1..2]);
    }
}
