//! The examples of deploy/tokens: settings, and the token for each.

use std::{net::SocketAddr, path::Path, sync::Arc};

use ed25519_dalek::pkcs8::{EncodePublicKey as _, spki::der::pem::LineEnding};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{config::Sections, testing::certificates::Authority};

const PAGE: &str = include_str!("../../../../../deploy/tokens/README.md");

/// The fenced blocks of a language on the page.
fn fenced(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap()).collect()
}

/// The bearers according to the page.
fn bearers() -> Vec<(&'static str, &'static str)> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("The bearer is a `"));
    lines.map(|line| line.trim_end_matches('.').split_once("` in ").unwrap()).collect()
}

fn issuer(text: &str) -> IssuerConfig {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tongxin.toml");
    std::fs::write(&file, text).unwrap();
    let sections = Sections::read_within(Some(&file), Some(std::collections::BTreeMap::new())).unwrap();
    let access: AccessConfig = sections.get("access").unwrap().unwrap();
    let [issuer] = access.issuers.try_into().unwrap_or_else(|_| panic!("one issuer is needed: {text}"));
    issuer
}

/// A key server with a certificate of its own authority, which requires the token.
struct KeyServer {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl KeyServer {
    async fn start(folder: &Path, set: String, token: Option<&'static str>) -> Self {
        let authority = Authority::new();
        authority.write(folder);
        let signed = authority.sign(&["127.0.0.1"]);
        let certificates = CertificateDer::pem_slice_iter(signed.certificate.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust us disconnects.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = vec![0; 4_096];
                let length = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let is_let_in = token.is_none_or(|token| head.contains(&format!("authorization: Bearer {token}\r\n")));
                let (status, body) = if is_let_in { ("200 OK", set.as_str()) } else { ("401 Unauthorized", "") };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });
        Self { address, serving }
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The issuer of an example, with files and hosts for the test. Keys have the form of the example.
async fn made_real(mut issuer: IssuerConfig, signer: &Signer, folder: &Path) -> (IssuerConfig, Option<KeyServer>) {
    let server = match &issuer.keys {
        KeySource::PemFile(_) => {
            let file = folder.join("key.pem");
            std::fs::write(&file, signer.key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
            issuer.keys = KeySource::PemFile(file);
            None
        }
        KeySource::JwksFile(_) => unreachable!("no example has one"),
        KeySource::JwksUrl(address) => {
            let path = address.expose().splitn(4, '/').nth(3).unwrap();
            let token = issuer.keys_token_file.is_some().then_some("of-the-cluster");
            if let Some(token) = token {
                std::fs::write(folder.join("token"), format!("{token}\n")).unwrap();
                issuer.keys_token_file = Some(folder.join("token"));
            }
            let server = KeyServer::start(folder, json!({ "keys": [signer.jwk()] }).to_string(), token).await;
            issuer.keys = KeySource::JwksUrl(format!("https://{}/{path}", server.address).into());
            // The machine's authorities do not sign test certificates.
            issuer.keys_ca_file = Some(folder.join("ca.pem"));
            Some(server)
        }
    };
    (issuer, server)
}

#[tokio::test]
async fn the_tokens_of_each_example_mean_what_the_page_says() {
    let (settings, tokens, bearers) = (fenced("toml"), fenced("json"), bearers());
    assert_eq!((settings.len(), tokens.len(), bearers.len()), (3, 3, 3));
    let mut of_a_server = 0;
    for ((settings, token), (role, region)) in settings.into_iter().zip(tokens).zip(bearers) {
        let signer = Signer::new("one", 1);
        let folder = tempfile::tempdir().unwrap();
        let (issuer, server) = made_real(issuer(settings), &signer, folder.path()).await;
        of_a_server += usize::from(server.is_some());
        let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        let access = Access::new(config, Clock::fixed(noon())).unwrap();
        let claims: Value = serde_json::from_str(token).unwrap();
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" });
        let caller = access.caller(&signer.sign(&header, &claims)).await.unwrap();
        assert_eq!(caller.region().to_string(), region, "{token}");
        assert!(caller.roles().iter().any(|stated| stated == role), "{token}");
        assert!(!caller.permissions().is_empty());
        assert_eq!(caller.department().is_some(), role == "department");
    }
    assert_eq!(of_a_server, 2);
}

#[tokio::test]
async fn a_key_server_is_trusted_by_the_authority_of_the_settings_alone_and_lets_in_by_token() {
    let (signer, folder) = (Signer::new("one", 1), tempfile::tempdir().unwrap());
    let set = json!({ "keys": [signer.jwk()] }).to_string();
    let server = KeyServer::start(folder.path(), set, Some("right")).await;
    std::fs::write(folder.path().join("other.pem"), Authority::new().pem).unwrap();
    std::fs::write(folder.path().join("right"), "right").unwrap();
    std::fs::write(folder.path().join("wrong"), "wrong").unwrap();
    // However the scheme is written.
    for scheme in ["https", "HTTPS"] {
        for (ca, token, said) in
            [("ca.pem", "right", None), ("ca.pem", "wrong", Some("401")), ("other.pem", "right", Some("certificate"))]
        {
            let address = format!("{scheme}://{}/keys", server.address);
            let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksUrl(address.into()));
            issuer.keys_ca_file = Some(folder.path().join(ca));
            issuer.keys_token_file = Some(folder.path().join(token));
            let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
            let called = Access::new(config, Clock::fixed(noon())).unwrap().caller(&signer.good()).await;
            match (called, said) {
                (Ok(_), None) => {}
                // The operator can read why: in the log, and when the token is inspected.
                (Err(refused), Some(said)) => {
                    assert_eq!(refused.fault, Fault::KeysUnavailable);
                    assert!(refused.detail.contains(said), "{ca} {token}: {refused}");
                }
                (called, _) => panic!("{scheme} {ca} {token}: {:?}", called.map(drop)),
            }
        }
    }
}
