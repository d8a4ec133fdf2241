//! The examples of deploy/tokens: settings, and the token that goes with them.

use ed25519_dalek::pkcs8::{EncodePublicKey as _, spki::der::pem::LineEnding};
use serde::Deserialize;

use super::*;
use crate::config;

const PAGE: &str = include_str!("../../../../../deploy/tokens/README.md");

#[derive(Deserialize)]
struct Settings {
    access: AccessConfig,
}

/// Parts of the page between a fence and the next.
fn fenced(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap()).collect()
}

/// What the page says the bearers are.
fn bearers() -> Vec<(&'static str, &'static str)> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("The bearer is a `"));
    lines.map(|line| line.trim_end_matches('.').split_once("` in ").unwrap()).collect()
}

fn issuer(text: &str) -> IssuerConfig {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tongxin.toml");
    std::fs::write(&file, text).unwrap();
    let settings: Settings = config::load_within(Some(&file), Some(std::collections::BTreeMap::new())).unwrap();
    let [issuer] = settings.access.issuers.try_into().unwrap_or_else(|_| panic!("one issuer is needed: {text}"));
    issuer
}

#[tokio::test]
async fn the_tokens_of_each_example_mean_what_the_page_says() {
    let (settings, tokens, bearers) = (fenced("toml"), fenced("json"), bearers());
    assert_eq!((settings.len(), tokens.len(), bearers.len()), (3, 3, 3));
    for ((settings, token), (role, region)) in settings.into_iter().zip(tokens).zip(bearers) {
        let signer = Signer::new("one", 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        std::fs::write(&file, signer.key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
        let mut issuer = issuer(settings);
        issuer.keys = KeySource::PemFile(file);
        let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        let access = Access::new(config, Clock::fixed(noon())).unwrap();
        let claims: Value = serde_json::from_str(token).unwrap();
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "whatever" });
        let caller = access.caller(&signer.sign(&header, &claims)).await.unwrap();
        assert_eq!(caller.region().to_string(), region, "{token}");
        assert!(caller.roles().iter().any(|stated| stated == role), "{token}");
        assert!(!caller.permissions().is_empty());
        assert_eq!(caller.department().is_some(), role == "department");
    }
}
