//! Another system's client: Python, made from the proto files.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use crate::support::shared;

#[tokio::test]
async fn a_python_client_pairs_and_sees_the_scorecard_follow() {
    let shared = shared().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = Command::new("python3")
        .arg(root.join("tests/python/journey.py"))
        .arg(root.join("proto"))
        .arg(&shared.instance.gateway)
        .arg(&shared.instance.token_file)
        .env("PYTHONPATH", root.join(".tools/python"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(std::time::Duration::from_mins(2), run).await.unwrap().unwrap();
    let said = [run.stdout, run.stderr].concat();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&said));
}
