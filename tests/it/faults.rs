//! What the program stands: kill -9 of any of its processes, and a broker that loses all.

use std::{fs, path::Path, time::Duration};

use tongxin_proto::gateway::v1::Scorecard;
use tongxin_tests::{
    Clients, Program, SAMPLE,
    entries::{party_pairing, recipient, register, supporter},
    output,
};

use crate::support::{END_OF_2025, QINGYUAN, VILLAGE, data_folder, figures, shared};

async fn loaded(data_dir: &Path) -> Scorecard {
    let (program, clients) = Program::with_sample(data_dir).await.unwrap();
    let scorecard = clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap();
    assert!(program.stop().await.unwrap().success());
    scorecard
}

/// Kills one process of the program while it loads the sample, at several moments; then loads again.
async fn killed_while_loading(victim: &str) {
    let expected = figures(&shared().await.clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap());
    let folder = data_folder();
    for after in [300, 900, 1_700, 6_000] {
        let mut program = Program::start(folder.path(), &SAMPLE).unwrap();
        program.instance().await.unwrap();
        // The moment of the fault, not a wait for something.
        tokio::time::sleep(Duration::from_millis(after)).await;
        if victim == "tongxin" {
            program.kill().await.unwrap();
        } else {
            assert!(program.kill_started(victim).unwrap(), "{victim} was not running");
            tokio::time::sleep(Duration::from_millis(after)).await;
            program.kill().await.unwrap();
        }
    }
    assert_eq!(figures(&loaded(folder.path()).await), expected);
}

#[tokio::test]
async fn the_figures_survive_kill_9_of_the_program() {
    killed_while_loading("tongxin").await;
}

#[tokio::test]
async fn the_figures_survive_kill_9_of_postgres() {
    killed_while_loading("postgres ").await;
}

#[tokio::test]
async fn the_figures_survive_kill_9_of_a_backend_of_postgres() {
    killed_while_loading("postgres: tongxin_app").await;
}

#[tokio::test]
async fn the_figures_survive_kill_9_of_nats() {
    killed_while_loading("nats-server").await;
}

#[tokio::test]
async fn a_broker_that_lost_all_is_filled_again_while_services_run() {
    let folder = data_folder();
    let (mut program, clients) = Program::with_sample(folder.path()).await.unwrap();
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
    tongxin_platform::testing::eventually("the broker has taken every event", || async {
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
    tongxin_platform::testing::eventually("the scorecard follows", || async {
        clients.figure(VILLAGE, "supporter_party_organisations_paired", None).await.is_ok_and(|value| value == expected)
    })
    .await;
}

#[tokio::test]
async fn a_start_on_what_was_loaded_needs_no_loading() {
    let folder = data_folder();
    let first = figures(&loaded(folder.path()).await);
    let again = output(&["up", "--port", "0", "--once", SAMPLE[0], SAMPLE[1]], folder.path()).await.unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(figures(&loaded(folder.path()).await), first);
}
