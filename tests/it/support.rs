//! One running program with the sample year, shared by the journeys that do not break it.

use std::{
    fs::Permissions,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tongxin_proto::{Date, gateway::v1::Scorecard};
use tongxin_tests::{Clients, Instance, Program};

pub const QINGYUAN: &str = "441800000000";
pub const TAIPING: &str = "441823107000";
pub const VILLAGE: &str = "441823107200";

pub struct Shared {
    pub folder: TempDir,
    pub instance: Instance,
    pub clients: Clients,
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
        let (mut program, clients) = Program::with_sample(folder.path()).await.unwrap();
        let instance = program.instance().await.unwrap();
        Shared { folder, instance, clients, _program: program }
    };
    SHARED.get_or_init(start).await
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

pub const END_OF_2025: Option<Date> = Some(Date { year: 2025, month: 12, day: 31 });

/// The figures by indicator.
pub fn figures(scorecard: &Scorecard) -> Vec<(String, i64)> {
    scorecard.figures.iter().map(|figure| (figure.indicator_id.clone(), figure.value)).collect()
}
