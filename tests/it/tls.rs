//! TLS from the side of those who type commands: it works, or they are told what is in its way.

use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tongxin_platform::testing::{
    certificates::{Authority, Signed},
    eventually,
};
use tongxin_tests::{Clients, Instance, Program, output, run, run_without_authorities};
use tonic::{
    service::Routes,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

use crate::{
    broker::page,
    data_folder::register_is_imported,
    support::{QINGYUAN, data_folder, shared},
    told::{assert_says, refused},
};

/// A command for a gateway elsewhere, with the token of a running `up`.
fn scorecard<'text>(gateway: &'text str, token_file: &'text str) -> Vec<&'text str> {
    vec!["scorecard", QINGYUAN, "--gateway", gateway, "--token-file", token_file]
}

async fn shown(arguments: &[&str]) -> String {
    let output = run(arguments).await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

async fn a_running_up_that_speaks_tls(folder: &TempDir) -> (Program, Instance) {
    let mut program = Program::start(folder.path(), &["--tls-self-signed"]).unwrap();
    let instance = program.instance().await.unwrap();
    register_is_imported(folder.path()).await;
    let clients = Clients::of(&instance).unwrap();
    eventually("the gateway knows the register", || async { clients.scorecard(QINGYUAN, None).await.is_ok() }).await;
    (program, instance)
}

#[tokio::test]
async fn commands_speak_tls_with_an_up_that_signed_its_own_certificate() {
    let folder = data_folder();
    let (program, instance) = a_running_up_that_speaks_tls(&folder).await;
    assert!(instance.gateway.starts_with("https://localhost:"), "{}", instance.gateway);
    let by_folder = output(&["scorecard", QINGYUAN], folder.path()).await.unwrap();
    assert!(by_folder.status.success(), "{}", String::from_utf8_lossy(&by_folder.stderr));

    let (token, ca) = (instance.token_file.display().to_string(), folder.path().join("tls/ca.pem"));
    let ca = ["--ca-file", ca.to_str().unwrap()];
    let port = instance.gateway.rsplit(':').next().unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let at = format!("https://{host}:{port}");
        let said = shown(&[&scorecard(&at, &token)[..], &ca].concat()).await;
        assert!(said.contains(&format!("清远市 {QINGYUAN}")), "{said}");
    }

    let said = refused(&scorecard(&instance.gateway, &token), 1).await;
    assert_says(&said, &["not signed by a CA that this machine trusts", "--ca-file"]);
    let without = run_without_authorities(&scorecard(&instance.gateway, &token)).await.unwrap();
    assert_eq!(without.status.code(), Some(1));
    let said = String::from_utf8(without.stderr).unwrap();
    assert_says(&said, &["CA certificates", "SSL_CERT_FILE", "--ca-file", "/nonexistent"]);

    let plain = format!("http://localhost:{port}");
    let said = refused(&scorecard(&plain, &token), 1).await;
    assert_says(&said, &[&format!("speaks TLS: call it at https://localhost:{port}")]);
    let pairing = instance.services["pairing"].grpc.replace("http://", "https://");
    let said = refused(&[&scorecard(&pairing, &token)[..], &ca].concat(), 1).await;
    assert_says(&said, &["speaks no TLS", "http://"]);

    let metrics = page(&instance.gateway_admin, "/metrics").await;
    for name in [
        "tongxin_tls_certificate_expiration_timestamp_seconds",
        "tongxin_tls_last_reload_successful",
        "tongxin_tls_last_reload_success_timestamp_seconds",
        "tongxin_tls_handshakes_failed_total",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name} is not in: {metrics}");
    }
    assert!(program.stop().await.unwrap().success());
}

#[tokio::test]
async fn commands_touch_no_store_of_cas_where_no_tls_is_spoken() {
    let data_dir = shared().await.data_dir().to_str().unwrap();
    let output = run_without_authorities(&["scorecard", QINGYUAN, "--data-dir", data_dir]).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whoever shows a certificate, and is asked for nothing but that.
async fn shows(signed: &Signed) -> SocketAddr {
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(&signed.certificate, &signed.key));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().tls_config(tls).unwrap().add_routes(Routes::default());
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

#[tokio::test]
async fn a_certificate_that_is_no_good_is_refused_and_the_reason_said() {
    let (authority, stranger, folder) = (Authority::new(), Authority::new(), TempDir::new().unwrap());
    authority.write(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("token"), "none.that.counts").unwrap();
    for (signed, parts) in [
        (authority.sign_for_days(&["localhost"], (2020, 1, 1), (2021, 1, 1)), &["has expired on 2021-01-01"][..]),
        (authority.sign_for_days(&["localhost"], (2090, 1, 1), (2091, 1, 1)), &["is not valid before 2090-01-01"]),
        (
            authority.sign(&["gateway.example", "10.0.0.1"]),
            &["is not for localhost, but for gateway.example, 10.0.0.1"],
        ),
        (stranger.sign(&["localhost"]), &["is not signed by a CA in ", "ca.pem"]),
    ] {
        let gateway = format!("https://localhost:{}", shows(&signed).await.port());
        let said =
            refused(&[&scorecard(&gateway, &file("token"))[..], &["--ca-file", &file("ca.pem")]].concat(), 1).await;
        assert_says(&said, parts);
        assert_says(&said, &[&gateway]);
    }
    let no_authority = ["--ca-file", &file("token")];
    let said = refused(&[&scorecard("https://localhost:1", &file("token"))[..], &no_authority].concat(), 1).await;
    assert_says(&said, &["token is no PEM file with certificates"]);
}
