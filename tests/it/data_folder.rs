//! The data folder of `up`: who may read what, and what commands do with it while nobody runs there.

use std::{
    fs::{self, Metadata},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use tongxin_platform::testing::eventually;
use tongxin_proto::{
    Date,
    gateway::v1::Scorecard,
    pairing::v1::{ActivityKind, JointActivityDraft, RecordJointActivityRequest},
};
use tongxin_tests::{
    Clients, Program,
    entries::{party_pairing, recipient, register, request_id, supporter},
    output,
};

use crate::{
    operate::REGISTER,
    support::{END_OF_2025, QINGYUAN, VILLAGE, data_folder, figures},
};

/// What everybody may read: the key that tokens are checked by.
const PUBLIC: [&str; 1] = ["token.pub.pem"];

pub async fn register_is_imported(data_dir: &Path) {
    let file = data_dir.join("regions.csv");
    fs::write(&file, REGISTER).unwrap();
    let import = ["import", "regions", file.to_str().unwrap(), "--effective-from", "2021-01-01"];
    let imported = output(&import, data_dir).await.unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    fs::remove_file(file).unwrap();
}

/// Pairs two organisations, and lets them meet once.
pub async fn holds_an_activity(clients: &Clients, number: u32) {
    let mut pairing = clients.pairing().unwrap();
    let one = register(&mut pairing, supporter(&format!("第{number}局党支部"))).await.unwrap().organisation_id;
    let other = recipient(&format!("太平村第{number}支部"), VILLAGE);
    let other = register(&mut pairing, other).await.unwrap().organisation_id;
    let began = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
    let paired = pairing.establish_pairing(party_pairing(&one, &other, began)).await.unwrap();
    let activity = JointActivityDraft {
        pairing_id: paired.into_inner().pairing.unwrap().pairing_id,
        kind: ActivityKind::Visit.into(),
        held_on: Some(Date { year: 2025, month: 6, day: 1 }),
        participants: 9,
        remark: String::new(),
    };
    let held = RecordJointActivityRequest { request_id: request_id(), activity: Some(activity) };
    pairing.record_joint_activity(held).await.unwrap();
}

/// Everything in a folder that others can get to, with what they may do.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mode = |metadata: &Metadata| metadata.permissions().mode();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Files of the stream store come and go.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() && mode(&metadata) & 0o001 != 0 {
            found.extend(open_to_others(&path));
        }
        let may_read = mode(&metadata) & 0o004 != 0;
        let may_write = mode(&metadata) & 0o002 != 0;
        // What can be read of a folder are names, which are no secret.
        if (may_read && !metadata.is_dir() && !metadata.is_symlink()) || (may_write && !metadata.is_symlink()) {
            found.push(path);
        }
    }
    found
}

fn names(paths: Vec<PathBuf>) -> Vec<String> {
    paths.into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn nobody_else_can_read_what_lies_in_the_data_folder() {
    let folder = data_folder();
    // Written by an older release, and full: both parts of a log that goes round.
    for name in ["tongxin.log", "postgres.log", "nats.log"] {
        let path = folder.path().join(name);
        fs::write(&path, vec![b'\n'; (16 << 20) + 1]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut program = Program::start(folder.path(), &[]).unwrap();
    program.instance().await.unwrap();
    let there = names(fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect());
    for name in [
        "tongxin.log",
        "tongxin.log.1",
        "postgres.log",
        "postgres.log.1",
        "nats.log",
        "nats.log.1",
        "nats.conf",
        "nats.port",
        "nats.pairing.password",
        "nats.monitoring.password",
        "nats.gateway.password",
        "nats",
        "run",
        "postgres",
        "keys",
        "lock",
        "token",
        "token.pem",
        "up.json",
    ] {
        assert!(there.iter().any(|found| found == name), "{name} is not among {there:?}");
    }
    assert_eq!(names(open_to_others(folder.path())), PUBLIC);
    assert!(program.stop().await.unwrap().success());
    assert_eq!(names(open_to_others(folder.path())), PUBLIC, "when nobody runs there");
}

fn head(scorecard: &Scorecard) -> (i64, i64) {
    let head = scorecard.heads.iter().find(|head| head.source == "pairing").unwrap();
    (head.epoch, head.seq)
}

/// States that pairing's database was restored, and returns the epoch that its log is in then.
async fn new_epoch(data_dir: &Path) -> i64 {
    let begun = output(&["log", "new-epoch", "--service", "pairing"], data_dir).await.unwrap();
    let said = String::from_utf8([begun.stdout, begun.stderr].concat()).unwrap();
    let epoch = said.trim().strip_prefix("pairing: its log is in epoch ").and_then(|epoch| epoch.parse().ok());
    epoch.unwrap_or_else(|| panic!("{said}"))
}

async fn verifies(data_dir: &Path) {
    let verified = output(&["log", "verify"], data_dir).await.unwrap();
    let said = String::from_utf8([verified.stdout, verified.stderr].concat()).unwrap();
    assert!(verified.status.success() && said.contains("pairing: ") && said.contains("all sound"), "{said}");
}

async fn counted_anew(clients: &Clients, epoch: i64, before: &Scorecard) {
    let (_, seq) = head(before);
    eventually("the log is counted anew", || async {
        clients.scorecard(QINGYUAN, END_OF_2025).await.is_ok_and(|scorecard| head(&scorecard) == (epoch, seq))
    })
    .await;
    assert_eq!(figures(&clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap()), figures(before));
}

#[tokio::test]
async fn a_log_is_verified_and_begins_a_new_epoch_whether_up_runs_on_its_folder_or_not() {
    let folder = data_folder();
    let mut program = Program::start(folder.path(), &[]).unwrap();
    let clients = Clients::of(&program.instance().await.unwrap()).unwrap();
    register_is_imported(folder.path()).await;
    holds_an_activity(&clients, 1).await;
    eventually("it is counted", || async {
        clients.figure(QINGYUAN, "joint_activities", END_OF_2025).await.is_ok_and(|figure| figure == 1)
    })
    .await;
    let before = clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap();

    verifies(folder.path()).await;
    let running = new_epoch(folder.path()).await;
    assert!(running > head(&before).0);
    counted_anew(&clients, running, &before).await;
    assert!(program.stop().await.unwrap().success());

    verifies(folder.path()).await;
    let stopped = new_epoch(folder.path()).await;
    assert!(stopped > running);
    let mut program = Program::start(folder.path(), &[]).unwrap();
    let clients = Clients::of(&program.instance().await.unwrap()).unwrap();
    counted_anew(&clients, stopped, &before).await;
    assert!(program.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_folder_that_up_never_had_is_left_as_it_is() {
    let folder = data_folder();
    let begun = output(&["log", "new-epoch", "--service", "pairing"], folder.path()).await.unwrap();
    let said = String::from_utf8(begun.stderr).unwrap();
    assert!(!begun.status.success() && said.contains("nothing runs on the data folder"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
