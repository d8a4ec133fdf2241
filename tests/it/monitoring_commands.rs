//! What operators do about households, by the built program: files in, rules stored, all of a region screened and checked.

use std::{path::Path, sync::Arc};

use chrono::{Datelike as _, Days, NaiveDate};
use sqlx::PgPool;
use tongxin_platform::{clock::Clock, db::Scope, testing::eventually};
use tongxin_tests::{Program, entries::id_number};

use crate::support::{Desk, data_folder};

const REGISTER: &str = "code,name,level,parent_code,assisted
440000000000,广东省,province,,0
441800000000,清远市,city,440000000000,0
441823000000,阳山县,county,441800000000,0
441823107000,太平镇,town,441823000000,1
441823107200,太平村委会,village,441823107000,1
";

const HOUSEHOLDS: &str = "\
household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work,registered_on
4418230001,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming,2025-01-01
4418230001,,,李姨,110101202311012176,child,healthy,none,before_school,,none,
";

const OBSERVATIONS: &str = "household_number,window_ends_on,wages,business,property,transfer,business_expense,\
out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks\n";

fn rules(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/rules").join(file).display().to_string()
}

/// The last day of the month before.
fn window() -> NaiveDate {
    Clock::system().today().with_day(1).unwrap() - Days::new(1)
}

#[tokio::test]
async fn households_are_imported_screened_and_checked_by_the_program() {
    let desk = Desk { folder: data_folder() };
    let mut program = Program::start(desk.folder.path(), &[]).unwrap();
    program.instance().await.unwrap();

    let register = desk.file("regions.csv", REGISTER).display().to_string();
    desk.done(&["import", "regions", &register, "--effective-from", "2021-01-01"], &["5 regions: 5 new"]).await;
    desk.done(&["holidays", "set", &rules("holidays-2021-2026.yaml")], &["days differ from the weekly pattern"]).await;
    let rule_set = rules("guangdong-2026.yaml");
    for _ in 0..2 {
        desk.done(&["rules", "store", &rule_set], &["stored as", "screening rules"]).await;
    }

    let file = desk.file("households.csv", HOUSEHOLDS).display().to_string();
    let import = ["import", "households", &file];
    desk.done(&[&import[..], &["--dry-run"]].concat(), &["1 households: 1 would be accepted"]).await;
    desk.done(&["check", "441823107200"], &["0 defects in 0 households"]).await;
    for _ in 0..2 {
        desk.done(&import, &["1 households: 1 accepted", "0 refused"]).await;
    }
    let wrong = HOUSEHOLDS.replace("4418230001", "4418230002").replace("11010519491231002X", "110105194912310021");
    let wrong = desk.file("wrong.csv", &wrong).display().to_string();
    desk.refused(
        &["import", "households", &wrong],
        &["line 2, column id_number: has a wrong check digit (ID_NUMBER_INVALID)", "1 of 1 rows were refused"],
    )
    .await;
    let half = desk.file("half.csv", &HOUSEHOLDS[..HOUSEHOLDS.len() - 40]).display().to_string();
    desk.refused(&["import", "households", &half], &["line 3"]).await;

    let observed = format!("{OBSERVATIONS}4418230001,{},2000,0,0,0,0,30000,0,1,1,a,1,\n", window());
    let observed = desk.file("observations.csv", &observed).display().to_string();
    let import = ["import", "observations", &observed];
    desk.done(&[&import[..], &["--dry-run", "--json"]].concat(), &["\"accepted\": 1", "\"dry_run\": true"]).await;
    desk.done(&import, &["1 observations: 1 accepted"]).await;

    desk.done(&["rules", "simulate", &rule_set, "--region", "441800000000"], &["1 of 1 households flagged"]).await;
    // The import raised them already.
    desk.done(&["screen", "441800000000"], &["1 of 1 households flagged, 0 new signals"]).await;
    desk.done(&["check", "441800000000"], &["rule", "defects in 1 households"]).await;
    desk.done(&["check", "441800000000", "--by-village"], &["village", "441823107200"]).await;
    desk.refused(&["screen", "441900000000"], &["REGION_NOT_FOUND"]).await;
    desk.done(&["funnel", "441800000000"], &["screening", "rule ", "all ", "0.00 %"]).await;
    desk.refused(&["funnel", "441800000000", "--from", "2025-02-01", "--until", "2025-01-31"], &["DATE_ORDER"]).await;
    desk.done(&["overdue", "441800000000"], &["due on", "0 steps overdue"]).await;

    program.stop().await.unwrap();
}

/// Households of one person each, as many as take the service some messages.
fn many(count: usize) -> String {
    let header = HOUSEHOLDS.lines().next().unwrap();
    let line = |place| {
        let number = id_number(0, place);
        format!(
            "44182{place:05},441823107200,none,陈伯,{number},head,healthy,ordinary,not_at_school,,farming,2025-01-01"
        )
    };
    std::iter::once(header.to_owned()).chain((0..count).map(line)).map(|line| line + "\n").collect()
}

async fn kept(pool: &PgPool) -> Option<i64> {
    let mut tx = Scope::EVERYWHERE.read(pool).await.ok()?;
    sqlx::query_scalar("SELECT count(*) FROM household").fetch_one(&mut *tx).await.ok()
}

#[tokio::test]
async fn an_import_goes_on_by_itself_after_postgres_was_killed() {
    const COUNT: usize = 6_000;
    let desk = Arc::new(Desk { folder: data_folder() });
    let mut program = Program::start(desk.folder.path(), &[]).unwrap();
    let instance = program.instance().await.unwrap();
    let pool = PgPool::connect(&instance.databases["monitoring"]).await.unwrap();
    let register = desk.file("regions.csv", REGISTER).display().to_string();
    desk.done(&["import", "regions", &register, "--effective-from", "2021-01-01"], &["5 regions: 5 new"]).await;

    let file = desk.file("many.csv", &many(COUNT)).display().to_string();
    let importing = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.done(&["import", "households", &file], &["6000 households: 6000 accepted", "0 refused"]).await }
    });
    eventually("some are kept", || async { kept(&pool).await.is_some_and(|count| count > 0) }).await;
    assert!(program.kill_started("postgres ").unwrap());
    assert!(!importing.is_finished(), "the import was done before");
    importing.await.unwrap();
    assert_eq!(kept(&pool).await, i64::try_from(COUNT).ok());
    program.stop().await.unwrap();
}
