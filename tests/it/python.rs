//! Other systems' clients: Python, made from the proto files.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::support::{VILLAGE, shared, tokens};

/// Runs a script of `tests/python` with what tells it who it is.
async fn runs(script: &str, tokens: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = Command::new("python3")
        .arg(root.join("tests/python").join(script))
        .arg(root.join("proto"))
        .arg(&shared().await.instance.gateway)
        .arg(tokens)
        .env("PYTHONPATH", root.join(".tools/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(Duration::from_mins(2), run).await.unwrap().unwrap();
    println!("{}", String::from_utf8_lossy(&[run.stdout, run.stderr].concat()));
    assert!(run.status.success(), "{script}: {}", run.status);
}

#[tokio::test]
async fn a_python_client_pairs_and_sees_the_scorecard_follow() {
    runs("journey.py", &shared().await.instance.token_file).await;
}

#[tokio::test]
async fn python_clients_lead_a_household_into_monitoring_and_see_the_scorecard_follow() {
    let tokens = tokens(&[
        ("clerk", "village", VILLAGE),
        ("colleague", "village", VILLAGE),
        ("town", "town", "441823107000"),
        ("county", "county", "441823000000"),
        ("department", "department", "441823000000"),
        ("elsewhere", "county", "441825000000"),
    ])
    .await;
    runs("monitoring.py", tokens.path()).await;
}
