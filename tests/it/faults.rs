//! What the program stands: kill -9 of any of its processes, and a broker that loses all.

use std::{fs, path::Path, time::Duration};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tongxin_platform::{db::Scope, testing::eventually};
use tongxin_proto::gateway::v1::Scorecard;
use tongxin_tests::{
    Clients, Program, SAMPLE,
    entries::{party_pairing, recipient, register, supporter},
};

use crate::{
    support::{END_OF_2025, GUANGDONG, QINGYUAN, VILLAGE, data_folder, figures, shared},
    tables::sql,
};

/// How far the load has come: what is counted in the database of a service, from the first rows of the register to the last step
/// but one.
const STAGES: [(&str, &str); 8] = [
    ("pairing", "SELECT (SELECT count(*) FROM region_import) + (SELECT count(*) FROM region)"),
    ("pairing", "SELECT count(*) FROM pairing"),
    ("pairing", "SELECT count(*) FROM activity"),
    ("monitoring", "SELECT count(*) FROM household"),
    ("monitoring", "SELECT count(*) FROM signal WHERE state <> 'open'"),
    ("monitoring", "SELECT count(*) FROM cases"),
    ("monitoring", "SELECT count(*) FROM cases WHERE stage = 'removed'"),
    ("monitoring", "SELECT count(*) FROM village_income"),
];

/// Processes that are killed, by the beginning of their command lines; the first is the program itself.
const VICTIMS: [&str; 4] = ["tongxin", "postgres ", "postgres: tongxin_app", "nats-server"];

/// A moment of the load: when so much is counted.
struct Moment {
    service: &'static str,
    counted: &'static str,
    at_least: i64,
}

async fn loaded(data_dir: &Path) -> Scorecard {
    let (program, clients) = Program::with_sample(data_dir).await.unwrap();
    let scorecard = clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap();
    assert!(program.stop().await.unwrap().success());
    scorecard
}

/// The figures of a load that nothing happened to.
async fn unharmed() -> Vec<(String, i64)> {
    figures(&shared().await.clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap())
}

/// Says whether the load has come to a moment; of a server that was just killed it is not known.
async fn has_come_to(program: &mut Program, moment: &Moment) -> Option<bool> {
    let url = &program.instance().await.ok()?.databases[moment.service];
    let mut conn = PgConnection::connect(url).await.ok()?;
    let mut tx = conn.begin().await.ok()?;
    Scope::EVERYWHERE.set(&mut tx).await.ok()?;
    let counted: i64 = sqlx::query_scalar(moment.counted).fetch_one(&mut *tx).await.ok()?;
    Some(counted >= moment.at_least)
}

/// Loads until a moment; begins again where the program was killed, or gave up.
async fn load_until(data_dir: &Path, running: Option<Program>, moment: &Moment) -> Program {
    let start = || Program::start(data_dir, &SAMPLE).unwrap();
    let mut program = running.unwrap_or_else(start);
    let come = async {
        while has_come_to(&mut program, moment).await != Some(true) {
            if program.has_ended().unwrap() {
                program = start();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(5), come).await.is_ok();
    assert!(in_time, "never {}: {}", moment.at_least, moment.counted);
    program
}

/// Each victim dies at each stage of one load: at its beginning, its first quarter, its half, and three quarters.
async fn loaded_under_kills() -> TempDir {
    let folder = data_folder();
    let mut running = None;
    for (service, counted) in STAGES {
        let all = sql(&shared().await.instance, service, GUANGDONG, counted).await;
        for (quarter, victim) in (0..).zip(VICTIMS) {
            let moment = Moment { service, counted, at_least: (all * quarter / 4).max(1) };
            let program = load_until(folder.path(), running.take(), &moment).await;
            if victim == "tongxin" {
                program.kill().await.unwrap();
            } else {
                // Its last death may be so near that it is not back yet.
                eventually("there is one to kill", || async { program.kill_started(victim).unwrap() }).await;
                running = Some(program);
            }
        }
    }
    running.expect("the last victim was not the program").kill().await.unwrap();
    folder
}

#[tokio::test]
async fn the_figures_survive_kill_9_of_everything_starts_on_what_was_loaded_and_a_broker_that_lost_all() {
    let folder = loaded_under_kills().await;
    assert_eq!(figures(&loaded(folder.path()).await), unharmed().await);
    assert_eq!(figures(&loaded(folder.path()).await), unharmed().await);
    a_broker_that_lost_all_is_filled_again_while_services_run(&folder).await;
}

async fn a_broker_that_lost_all_is_filled_again_while_services_run(folder: &TempDir) {
    let (mut program, clients) = Program::on_sample(folder.path()).await.unwrap();
    let before = figures(&clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap());
    assert!(program.kill_started("nats-server").unwrap());
    // Moved away at once: it is started again meanwhile.
    fs::rename(folder.path().join("nats"), folder.path().join("nats.lost")).unwrap();

    let paired = clients.figure(VILLAGE, "supporter_party_organisations_paired", None).await.unwrap();
    establish(&clients, "新支部").await;
    follows(&clients, paired + 1).await;
    assert_eq!(figures(&clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap()), before);
    // Not only from the log: the broker takes events again.
    establish(&clients, "又一支部").await;
    follows(&clients, paired + 2).await;
    let pool = sqlx::PgPool::connect(&program.instance().await.unwrap().databases["pairing"]).await.unwrap();
    eventually("the broker has taken every event", || async {
        let level = "SELECT published_seq = seq FROM log_head WHERE seq > 0";
        sqlx::query_scalar(level).fetch_one(&pool).await.unwrap()
    })
    .await;
    assert!(program.stop().await.unwrap().success());
}

async fn establish(clients: &Clients, name: &str) {
    let mut client = clients.pairing().unwrap();
    let supporter = register(&mut client, supporter(name)).await.unwrap();
    let recipient = register(&mut client, recipient(name, VILLAGE)).await.unwrap();
    let starts_on = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let request = party_pairing(&supporter.organisation_id, &recipient.organisation_id, starts_on);
    client.establish_pairing(request).await.unwrap();
}

async fn follows(clients: &Clients, expected: i64) {
    eventually("the scorecard follows", || async {
        clients.figure(VILLAGE, "supporter_party_organisations_paired", None).await.is_ok_and(|value| value == expected)
    })
    .await;
}
