//! Files that clerks send, by the built program: what spreadsheets did to them, days as people write them, what nobody sees,
//! and what is sent again.

use tongxin_tests::Program;

use crate::support::{Desk, data_folder};

const REGISTER: &str = "code,name,level,parent_code,assisted
440000000000,广东省,province,,0
441800000000,清远市,city,440000000000,0
441823000000,阳山县,county,441800000000,0
441823107000,太平镇,town,441823000000,1
441823107200,太平村委会,village,441823107000,1
";

const HEADER: &str = "household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,\
registered_on,address,bank_account,phone\n";

const OBSERVATIONS: &str = "household_number,window_ends_on,wages,business,property,transfer,business_expense,\
out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks\n";

/// A household of one person; `more` are its address, account and phone.
fn household(number: &str, name: &str, id_number: &str, day: &str, more: &str) -> String {
    format!(
        "{number},441823107200,none,{name},{id_number},head,healthy,ordinary,not_at_school,resident_medical,farming,{day},{more}\n"
    )
}

async fn desk() -> (Desk, Program) {
    let desk = Desk { folder: data_folder() };
    let mut program = Program::start(desk.folder.path(), &[]).unwrap();
    program.instance().await.unwrap();
    let register = desk.file("regions.csv", REGISTER).display().to_string();
    desk.done(&["import", "regions", &register, "--effective-from", "2021-01-01"], &["5 regions: 5 new"]).await;
    (desk, program)
}

impl Desk {
    /// Imports households, and checks the exit code and what is said.
    async fn households(&self, text: &str, more: &[&str], code: i32, parts: &[&str]) {
        let file = self.file("households.csv", text).display().to_string();
        let (done, said) = self.run(&[&["import", "households", &file], more].concat()).await;
        assert_eq!(done, Some(code), "{text}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }
}

#[tokio::test]
async fn a_day_has_a_year_of_four_digits_wherever_it_is_written() {
    let (desk, program) = desk().await;
    let row = |day: &str| [HEADER, &household("4418239990001", "陈甲一", "441823198001019991", day, ",,")].concat();
    for day in
        ["25-01-01", "025-01-01", "+2025-01-01", "2025 - 01 - 01", "2025-1-1", "2025-02-30", "01/02/2025", "45658"]
    {
        let said = ["line 2, column registered_on: is no day: a day such as 2025-12-31 is needed", "Nothing was sent"];
        desk.households(&row(day), &["--dry-run"], 1, &said).await;
    }
    for day in ["2025-01-01", "2025/1/1", "2025年1月1日"] {
        desk.households(&row(day), &["--dry-run"], 0, &["1 would be accepted"]).await;
    }
    desk.households(&row("1949-09-30"), &["--dry-run"], 1, &["line 2, column registered_on", "1949-10-01"]).await;
    for command in [
        &["scorecard", "441800000000", "--as-of", "25-12-31"][..],
        &["funnel", "441800000000", "--from", "26-01-01"],
        &["import", "regions", "regions.csv", "--effective-from", "21-01-01"],
    ] {
        let (code, said) = desk.run(command).await;
        assert!(code == Some(2) && said.contains("a day such as 2025-12-31 is needed"), "{command:?}: {said}");
    }
    desk.households(&row("2025-01-01"), &[], 0, &["1 accepted"]).await;
    let observed = |day: &str| format!("{OBSERVATIONS}4418239990001,{day},20000,0,0,600,800,0,0,1,1,b,1,\n");
    let file = desk.file("observations.csv", &observed("25-12-31")).display().to_string();
    desk.refused(&["import", "observations", &file], &["line 2, column window_ends_on: is no day"]).await;
    let file = desk.file("observations.csv", &observed("2025-12-31")).display().to_string();
    desk.done(&["import", "observations", &file], &["1 accepted"]).await;
    program.stop().await.unwrap();
}

#[tokio::test]
async fn numbers_that_a_spreadsheet_changed_are_named_or_warned_of() {
    let (desk, program) = desk().await;
    let of = |number: &str, id_number: &str, more: &str| {
        [HEADER, &household(number, "赵甲", id_number, "2026-01-01", more)].concat()
    };
    let good = "441823199007019997";
    for (file, column) in [
        (of("4418239990207", good, ",6.217E+18,"), "bank_account"),
        (of("4.41824E+12", good, ",,"), "household_number"),
        (of("4418239990205", "4.41823E+17", ",,"), "id_number"),
        (of("4418239990206", good, ",,").replace("441823107200", "4.41823E+11"), "region_code"),
        (of("4418239990208", "'441823199007099990", ",,"), "id_number"),
        (of("4418239990210.0", good, ",,"), "household_number"),
        (of("4418239990211", good, ",,1.38E+10"), "phone"),
    ] {
        let said = format!("line 2, column {column}: was changed by a spreadsheet: format the column as text");
        desk.households(&file, &[], 1, &[&said, "Nothing was sent"]).await;
    }
    // An account that ends in 000, one with a wrong check digit, and an ID number that ends in 000.
    for (file, column, warning) in [
        (of("4418239990201", good, ",6217003320000120000,"), "bank_account", "ends in 000, as if a spreadsheet"),
        (of("4418239990202", "441823199007029992", ",6217003320000123456,"), "bank_account", "has a wrong check digit"),
        (of("4418239990203", "441823199001029000", ",,"), "id_number", "an ID number ends in 000"),
    ] {
        let at = format!("line 2, column {column}: taken, with a warning: ");
        desk.households(&file, &[], 0, &["1 accepted", "1 have a data-quality warning", &at, warning]).await;
        desk.households(&file, &[], 0, &["1 rows of this file were imported before", &at, warning]).await;
    }
    let cut = of("4418239990204", "441823199001039000", ",,");
    desk.households(&cut, &[], 1, &["line 2, column id_number: ", "ID_NUMBER_INVALID"]).await;

    // Two numbers that became one: apart from each other, and side by side.
    let number = "44182310720000000000";
    let first = household(number, "赵戊", "441823199007039998", "2026-01-01", ",,");
    let second = household(number, "赵己", "441823199007049993", "2026-01-01", ",,");
    let between = household("4418239990209", "赵庚", "441823199007059999", "2026-01-01", ",,");
    let apart = [HEADER, &first, &between, &second].concat();
    for more in [&[][..], &["--dry-run"]] {
        desk.households(&apart, more, 1, &["line 4, column household_number: states the same as line 2 already does"])
            .await;
        let said = "line 3, column relation: is a second head under one household number, the first is in line 2: two numbers may";
        desk.households(&[HEADER, &first, &second].concat(), more, 1, &[said]).await;
    }

    // The third member's ID number is wrong: its line is named.
    let member = |name: &str, id_number: &str, relation: &str| {
        household("4418239990220", name, id_number, "", ",,")
            .replace("head", relation)
            .replace("441823107200,none", ",")
    };
    let members = [
        HEADER,
        &household("4418239990220", "孙甲", "441823199008019999", "2026-01-01", ",,"),
        &member("孙乙", "441823199008029994", "spouse"),
        &member("孙丙", "441823199203049991", "child"),
    ];
    desk.households(&members.concat(), &[], 1, &["line 4, column id_number: ", "ID_NUMBER_INVALID"]).await;
    program.stop().await.unwrap();
}

#[tokio::test]
async fn what_nobody_sees_is_taken_away() {
    let (desk, program) = desk().await;
    let row = |number: &str, name: &str, id_number: &str, day: &str, phone: &str| {
        household(number, name, id_number, day, &format!(",,{phone}"))
    };
    let good = row("4418239990321", "吴甲", "441823198102019990", "2026-01-01", "");
    for other in [
        format!("\u{feff}{}", row("4418239990322", "吴乙", "441823198102029996", "2026-01-01", "")),
        row("4418239990323", "\u{200b}吴丙", "441823198102039991", "2026-01-01", ""),
        row("4418239990324", "吴丁", "441823198102049997", "2026-01-01", "\u{202d}13800000000\u{202c}"),
        row("4418239990325", "吴戊", "\u{200e}441823198102059992", "2026-01-01", ""),
        row("4418239990326", "吴己", "441823198102069998", "2026-01-01", "")
            .replace("441823107200", "441823107200\u{a0}"),
        row("4418239990327", "吴庚", "441823198102079993", "\u{200e}2026-01-01", ""),
        row("4418239990328", "吴辛", "441823198102089999", "2026-01-01", "").replace("head", "head\u{200b}"),
        row("4418239990329", "吴壬", "４４１８２３198102099994", "2026-01-01", ""),
    ] {
        desk.households(&[HEADER, &good, &other].concat(), &["--dry-run"], 0, &["2 would be accepted"]).await;
    }
    let again = [HEADER, &good, "\u{feff}", HEADER, &good.replace("0321", "0322")].concat();
    desk.households(&again, &["--dry-run"], 1, &["line 3: is the header once more"]).await;
    for name in ["\u{200b}", "\u{3000}", "\u{202d}\u{2069}"] {
        let empty = [HEADER, &good.replace("吴甲", name)].concat();
        desk.households(&empty, &["--dry-run"], 1, &["line 2, column name: "]).await;
    }
    let bell = [HEADER, &good.replace("吴甲", "吴\u{7}甲")].concat();
    desk.households(&bell, &["--dry-run"], 1, &["line 2, column name: holds the control character U+0007"]).await;
    program.stop().await.unwrap();
}

#[tokio::test]
async fn files_are_imported_again_by_whom_they_belong_to_and_by_a_colleague() {
    let (desk, program) = desk().await;
    let row = |number: &str, region: &str, name: &str, id_number: &str| {
        household(number, name, id_number, "2026-01-10", ",,").replace("441823107200", region)
    };
    let file = [
        HEADER,
        &row("4418239990901", "441823107201", "沈甲", "441823198601019995"),
        &row("4418239990902", "441823107200", "沈乙", "441823198601029990"),
        &row("4418239990903", "441823107201", "沈丙", "441823198601039996"),
    ]
    .concat();
    let rejects = desk.folder.path().join("rejects.csv").display().to_string();
    let said =
        ["1 accepted", "2 refused", "line 2, column region_code: ", "line 4, column region_code: ", "REGION_NOT_FOUND"];
    desk.households(&file, &["--rejects", &rejects], 1, &[&said[..], &["their 2 lines are in"]].concat()).await;
    let written = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");
    assert!(written.contains("refused_because") && written.contains("REGION_NOT_FOUND"), "{written}");

    let village = "code,name,level,parent_code,assisted\n441823107201,新建村委会,village,441823107000,0\n";
    let village = desk.file("village.csv", village).display().to_string();
    desk.done(&["import", "regions", &village, "--effective-from", "2021-01-01"], &["1 new"]).await;
    let said = ["3 rows of this file were imported before", "2 of them were refused", "3 accepted", "0 refused"];
    desk.households(&file, &[], 0, &said).await;
    // What was mended in the file of rejects is there already.
    desk.done(&["import", "households", &rejects], &["2 accepted, of which 2 are unchanged", "0 refused"]).await;

    let token = desk.run(&["token", "--role", "hq", "--region", "441800000000", "--subject", "colleague"]).await.1;
    let token = desk.file("colleague.token", token.lines().next().unwrap()).display().to_string();
    desk.households(&file, &["--token-file", &token], 0, &["3 accepted, of which 3 are unchanged", "0 refused"]).await;
    let other = file.replace("沈乙", "沈二");
    let said = ["2 are unchanged", "1 refused", "line 3, column name: ", "differs in: line 3, column name ("];
    desk.households(&other, &["--token-file", &token], 1, &said).await;

    // A correction, and the file before it once more.
    let observed = |wages| format!("{OBSERVATIONS}4418239990901,2025-12-31,{wages},0,0,600,800,0,0,1,1,b,1,\n");
    let first = desk.file("observations.csv", &observed(20_000)).display().to_string();
    let second = desk.file("corrected.csv", &observed(21_000)).display().to_string();
    let corrects = ["0 are unchanged, 1 correct earlier ones", "0 refused"];
    desk.done(&["import", "observations", &first], &["1 accepted"]).await;
    desk.done(&["import", "observations", &second], &corrects).await;
    desk.done(&["import", "observations", &first], &["none is left to be sent; --again sends them once more"]).await;
    desk.done(&["import", "observations", &first, "--again"], &corrects).await;
    desk.done(&["import", "observations", &first, "--again"], &["1 are unchanged", "0 refused"]).await;
    program.stop().await.unwrap();
}

#[tokio::test]
async fn csv_is_taken_however_it_is_folded() {
    let (desk, program) = desk().await;
    let row = |number: &str, id_number: &str, address: &str| {
        household(number, "秦甲", id_number, "2026-01-10", &format!("{address},,"))
    };
    for (file, rows) in [
        ([HEADER, &row("4418239991101", "441823198901019997", "\"3组\n12号\"")].concat(), 1),
        ([HEADER, &row("4418239991108", "441823198901089995", "\"3组\r\n12号\"")].concat(), 1),
        ([HEADER, &row("4418239991106", "441823198901069994", "\"3组,12号\"")].concat(), 1),
        ([HEADER, &row("4418239991104", "441823198901049993", "\"3组\"\"老屋\"\"12号\"")].concat(), 1),
        ([HEADER, &row("4418239991105", "441823198901059999", "3组\"老屋\"12号")].concat(), 1),
        ([HEADER, &row("4418239991107", "44182319890107999X", "3组")].concat().replace('\n', "\r"), 1),
        ([HEADER, &row("4418239991109", "441823198901099990", "=1+1")].concat(), 1),
    ] {
        desk.households(&file, &["--dry-run"], 0, &[&format!("{rows} would be accepted")]).await;
    }
    // A fault of a later line is named in the same run as a field of several lines is taken.
    let later = [
        HEADER,
        &row("4418239991101", "441823198901019997", "\"3组\n12号\""),
        &row("4418239991102", "441823198901029992", "4组"),
        &row("4418239991103", "44182319890103999", "5组"),
    ]
    .concat();
    desk.households(&later, &["--dry-run"], 1, &["line 5, column id_number: ", "Nothing was sent"]).await;
    desk.households("", &["--dry-run"], 1, &["the file is empty"]).await;
    desk.households(HEADER, &["--dry-run"], 1, &["the file has a header, but no rows"]).await;
    program.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_exported_comes_back_unchanged() {
    let (desk, program) = desk().await;
    let organisations = "name,kind,side,host_kind,region_code,credit_code\n\
                         广州市示例小学,school,supporter,,441800000000,12440100000000001A\n\
                         太平镇中心小学,school,recipient,,441823107000,12441823000000002T\n\
                         太平村党支部,party_organisation,recipient,village_collective,441823107200,\n";
    let file = desk.file("organisations.csv", organisations).display().to_string();
    desk.done(&["import", "organisations", &file, "--dry-run"], &["3 would be accepted"]).await;
    desk.done(&["import", "organisations", &file], &["3 accepted, of which 0 are unchanged", "0 refused"]).await;
    let pairings = "kind,supporter_credit_code,recipient_credit_code,agreement_number,starts_on,ends_on\n\
                    school,12440100000000001A,12441823000000002T,2026-01,2026-01-01,\n";
    let file = desk.file("pairings.csv", pairings).display().to_string();
    desk.done(&["import", "pairings", &file], &["1 accepted, of which 0 are unchanged", "0 refused"]).await;
    let rows = [
        HEADER,
        &household(
            "4418239990001",
            "陈甲一",
            "441823198001019991",
            "2026-01-01",
            "3组12号,6217003320000120007,13800000000",
        ),
        &household("4418239990001", "陈甲二", "441823198202029993", "", ",,")
            .replace("head", "spouse")
            .replace("441823107200,none", ","),
        &household("4418239990002", "陈乙", "441823199007019997", "2026-01-02", ",,"),
    ];
    desk.households(&rows.concat(), &[], 0, &["2 accepted"]).await;
    for kind in ["organisations", "pairings", "households"] {
        let rows = if kind == "organisations" {
            3
        } else if kind == "pairings" {
            1
        } else {
            2
        };
        for (name, lang) in [("csv", "en"), ("xlsx", "en"), ("csv", "zh"), ("xlsx", "zh")] {
            let out = desk.folder.path().join(format!("{kind}-{lang}.{name}")).display().to_string();
            desk.done(&["export", kind, "441800000000", "--out", &out, "--lang", lang], &[]).await;
            let said = format!("{rows} accepted, of which {rows} are unchanged");
            desk.done(&["import", kind, &out], &[&said, "0 refused"]).await;
        }
    }
    let households = desk.folder.path().join("households-en.csv");
    let masked = std::fs::read_to_string(&households).unwrap();
    assert!(!masked.contains("陈甲一") && !masked.contains("441823198001019991"), "{masked}");
    let forged = masked.replacen("陈**", "李**", 1);
    let file = desk.file("forged.csv", &forged).display().to_string();
    desk.refused(&["import", "households", &file], &["column name: ", "1 refused"]).await;
    let cases = desk.folder.path().join("cases.csv").display().to_string();
    desk.done(&["export", "cases", "441800000000", "--out", &cases], &[]).await;
    program.stop().await.unwrap();
}
