//! Clients in Node: what a page has (connect-web), and what another system has (connect-node).

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::support::{VILLAGE, shared, tokens};

/// Runs a program in the project's folder.
async fn runs(command: &mut Command) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = command.current_dir(root).stdin(Stdio::null()).kill_on_drop(true).output();
    let run = tokio::time::timeout(Duration::from_mins(2), run).await.unwrap().unwrap();
    println!("{}", String::from_utf8_lossy(&[run.stdout, run.stderr].concat()));
    assert!(run.status.success(), "{command:?}: {}", run.status);
}

#[tokio::test]
async fn clients_in_node_see_the_same_in_every_protocol() {
    let people = [("hq", "hq", "441800000000"), ("village", "village", VILLAGE), ("department", "department", VILLAGE)];
    let tokens = tokens(&people).await;
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".tools");
    let contract = tokens.path().join("contract.binpb");
    runs(Command::new(tools.join("bin/buf")).args(["build", "proto", "-o"]).arg(&contract)).await;
    let own = tools.join("bin/node");
    let node = if own.exists() { own } else { "node".into() };
    let mut journey = Command::new(node);
    journey.arg("tests/node/journey.js").arg(&contract).arg(&shared().await.instance.gateway).arg(tokens.path());
    runs(journey.env("NODE_PATH", tools.join("node/node_modules"))).await;
}
