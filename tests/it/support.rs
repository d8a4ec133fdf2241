//! One running program with the sample year, shared by the journeys that do not break it.

use std::{
    fs::Permissions,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chrono::{Datelike as _, NaiveDate};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tongxin_platform::testing::eventually;
use tongxin_proto::{
    Date,
    gateway::v1::Scorecard,
    pairing::v1::{
        ActivityKind, JointActivityDraft, OrganisationDraft, OrganisationKind, RecordJointActivityRequest,
        VoidJointActivityRequest, VoidPairingRequest,
    },
};
use tongxin_tests::{
    Clients, Instance, Program,
    entries::{party_pairing, recipient, register, request_id, supporter},
    output,
};

use crate::tables::sql;

pub const GUANGDONG: &str = "440000000000";
pub const QINGYUAN: &str = "441800000000";
pub const TAIPING: &str = "441823107000";
pub const VILLAGE: &str = "441823107200";

pub struct Shared {
    pub folder: TempDir,
    pub instance: Instance,
    pub clients: Clients,
    /// What `up --sample ... --once` printed and said when it loaded the year.
    pub loaded: [String; 2],
    _program: Program,
}

impl Shared {
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

pub async fn shared() -> &'static Shared {
    let start = || async {
        let folder = data_folder();
        let loaded = Program::load_sample(folder.path()).await.unwrap();
        let (mut program, clients) = Program::on_sample(folder.path()).await.unwrap();
        let instance = program.instance().await.unwrap();
        mistakes(&instance, &clients).await;
        Shared { folder, instance, clients, loaded, _program: program }
    };
    SHARED.get_or_init(start).await
}

/// Enters what must not count at the end: a pairing and an activity that are voided, and a pairing that ended.
async fn mistakes(instance: &Instance, clients: &Clients) {
    // A village that has a support unit, but no enterprise: with this one it would be covered twice.
    let recipient = recipient("五爱村党总支", "441803113202");
    let supporter =
        OrganisationDraft { host_kind: OrganisationKind::Enterprise.into(), ..supporter("某企业党支部") };
    let mut client = clients.pairing().unwrap();
    let recipient = register(&mut client, recipient).await.unwrap().organisation_id;
    let supporter = register(&mut client, supporter).await.unwrap().organisation_id;
    let began = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
    let ended = Date { year: 2024, month: 1, day: 1 };

    let mistake = client.establish_pairing(party_pairing(&supporter, &recipient, began)).await.unwrap();
    let pairing_id = mistake.into_inner().pairing.unwrap().pairing_id;
    let mut right = party_pairing(&supporter, &recipient, began);
    if let Some(pairing) = &mut right.pairing {
        pairing.ends_on = Some(ended);
    }
    let why = "entered twice".to_owned();
    let void = VoidPairingRequest { request_id: request_id(), pairing_id, reason: why.clone(), expected_version: 0 };
    client.void_pairing(void).await.unwrap();
    let pairing_id = client.establish_pairing(right).await.unwrap().into_inner().pairing.unwrap().pairing_id;

    let activity = JointActivityDraft {
        pairing_id,
        kind: ActivityKind::Visit.into(),
        held_on: Some(Date { year: 2023, month: 6, day: 1 }),
        participants: 9,
        remark: String::new(),
    };
    let held = RecordJointActivityRequest { request_id: request_id(), activity: Some(activity) };
    let held = client.record_joint_activity(held).await.unwrap().into_inner().activity.unwrap();
    let void = VoidJointActivityRequest { request_id: request_id(), activity_id: held.activity_id, reason: why };
    client.void_joint_activity(void).await.unwrap();
    counted(instance, clients).await;
}

/// Waits until the scorecard counts all that pairing recorded.
async fn counted(instance: &Instance, clients: &Clients) {
    eventually("the scorecard counts all", || async {
        if sql(instance, "pairing", GUANGDONG, "SELECT count(*) FROM event WHERE seq IS NULL").await > 0 {
            return false;
        }
        let head = sql(instance, "pairing", GUANGDONG, "SELECT seq FROM log_head").await;
        let scorecard = clients.scorecard(QINGYUAN, None).await.unwrap();
        scorecard.heads.iter().any(|counted| counted.source == "pairing" && counted.seq >= head)
    })
    .await;
}

/// A folder that is removed when it is dropped, or when this process ends with it in a `static`.
pub fn data_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("tongxin-journey-").tempdir().unwrap();
    // The user who runs Postgres for root must get through, or the cluster would lie elsewhere.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    let heir = Command::new("sh")
        .args(["-c", "read -r _; for _ in $(seq 300); do bash \"$0\" \"$1\" && exit; sleep 0.1; done"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/setup/clean-data.sh"))
        .arg(folder.path())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // It reads from us until there is nobody.
    std::mem::forget(heir.unwrap());
    folder
}

/// Tokens in files that are named after people, each with a role in a region. Departments are the one of medical insurance.
pub async fn tokens(people: &[(&str, &str, &str)]) -> TempDir {
    let shared = shared().await;
    let tokens = tempfile::tempdir().unwrap();
    for (person, role, region) in people {
        let mut arguments = vec!["token", "--role", role, "--region", region, "--subject", person];
        if *role == "department" {
            arguments.extend(["--department", "medical_insurance"]);
        }
        let signed = output(&arguments, shared.data_dir()).await.unwrap();
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        std::fs::write(tokens.path().join(person), signed.stdout).unwrap();
    }
    tokens
}

/// A day as JSON has it.
pub fn date_in_json(day: NaiveDate) -> Value {
    json!({ "year": day.year(), "month": day.month(), "day": day.day() })
}

pub const END_OF_2025: Option<Date> = Some(Date { year: 2025, month: 12, day: 31 });

/// The figures by indicator.
pub fn figures(scorecard: &Scorecard) -> Vec<(String, i64)> {
    scorecard.figures.iter().map(|figure| (figure.indicator_id.clone(), figure.value)).collect()
}

/// A running program and a folder for its files.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a subcommand, and returns its exit code with what it printed and said.
    pub async fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let done = output(arguments, self.folder.path()).await.unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }

    pub async fn done(&self, arguments: &[&str], parts: &[&str]) {
        let (code, said) = self.run(arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }

    pub async fn refused(&self, arguments: &[&str], parts: &[&str]) {
        let (code, said) = self.run(arguments).await;
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }
}
