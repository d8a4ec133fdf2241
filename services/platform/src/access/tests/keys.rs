//! Keys that an issuer serves: down, rotated, withdrawn, and requested too often.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use ed25519_dalek::pkcs8::{EncodePublicKey as _, spki::der::pem::LineEnding};
use futures::future::join_all;
use tokio::{net::TcpListener, task::JoinHandle};

use super::*;

/// The issuer's address.
struct Issuer {
    shown: Shown,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Shown {
    set: Arc<Mutex<Option<Value>>>,
    fetches: Arc<AtomicUsize>,
    /// Responses are delayed while this is locked.
    slow: Arc<tokio::sync::Mutex<()>>,
}

async fn serve_set(State(shown): State<Shown>) -> Result<String, StatusCode> {
    shown.fetches.fetch_add(1, Relaxed);
    let _ = shown.slow.lock().await;
    let set = shown.set.lock().unwrap().clone();
    set.map(|set| set.to_string()).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

impl Issuer {
    async fn start(signers: &[&Signer]) -> Self {
        let shown = Shown::default();
        let moved = get(|| async { axum::response::Redirect::temporary("/keys") });
        let router = Router::new().route("/keys", get(serve_set)).route("/moved", moved).with_state(shown.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        let issuer = Self { shown, address, serving };
        issuer.show(signers);
        issuer
    }

    fn show(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        *self.shown.set.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn break_down(&self) {
        *self.shown.set.lock().unwrap() = None;
    }

    fn fetches(&self) -> usize {
        self.shown.fetches.load(Relaxed)
    }

    fn access(&self) -> Access {
        access_by(KeySource::JwksUrl(format!("http://{}/keys", self.address).into()))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Advances the clock for keys, but not for connections.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// A token that is not cached, so that its key is looked up.
fn token(signer: &Signer, number: usize) -> String {
    signer.sign(&signer.header(), &claims_with("jti", json!(number)))
}

#[tokio::test]
async fn keys_are_fetched_when_the_first_token_comes_and_kept() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    let calls = (0..50).map(|number| access.called_by(token(&signer, number)));
    assert!(join_all(calls).await.into_iter().all(|called| called.is_ok()));
    assert_eq!(issuer.fetches(), 1);
}

impl Access {
    async fn called_by(&self, token: String) -> Result<(), Fault> {
        self.caller(&token).await.map(drop).map_err(|refused| refused.fault)
    }
}

#[tokio::test]
async fn nobody_says_that_a_token_is_bad_while_the_set_was_never_had() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    issuer.break_down();
    let access = issuer.access();
    assert!(access.ready().is_err(), "no token can be checked");
    for number in 0..20 {
        assert_eq!(access.called_by(token(&signer, number)).await, Err(Fault::KeysUnavailable));
    }
    assert!(issuer.fetches() <= 2, "{} fetches within a second", issuer.fetches());
    issuer.show(&[&signer]);
    pass(1).await;
    access.called_by(token(&signer, 20)).await.unwrap();
    assert_eq!(access.ready(), Ok(()));
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_issuer_is_down() {
    let (signer, unknown) = (Signer::new("one", 1), Signer::new("two", 2));
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.called_by(token(&signer, 1)).await.unwrap();
    issuer.break_down();
    for number in 2..5 {
        // Right after the fetch, and an hour later.
        assert_eq!(access.called_by(token(&unknown, number)).await, Err(Fault::KeysUnavailable));
        access.called_by(token(&signer, number)).await.unwrap();
        pass(3600).await;
    }
    assert_eq!(access.ready(), Ok(()));
    issuer.show(&[&signer]);
    pass(1).await;
    assert_eq!(access.called_by(token(&unknown, 9)).await, Err(Fault::KeyUnknown), "a set was had for it");
    issuer.break_down();
    assert_eq!(access.called_by(token(&unknown, 10)).await, Err(Fault::KeyUnknown), "at once, for half a minute");
    pass(31).await;
    assert_eq!(access.called_by(token(&unknown, 11)).await, Err(Fault::KeysUnavailable));
    issuer.show(&[&signer, &unknown]);
    pass(1).await;
    access.called_by(token(&unknown, 12)).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_keep_the_set_from_the_others() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = Arc::new(issuer.access());
    let held = issuer.shown.slow.lock().await;
    for number in 0..20 {
        let (access, token) = (Arc::clone(&access), token(&signer, number));
        let gone = tokio::spawn(async move { access.called_by(token).await });
        while issuer.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        let _ = gone.await;
    }
    let waiting = tokio::spawn({
        let (access, token) = (Arc::clone(&access), token(&signer, 20));
        async move { access.called_by(token).await }
    });
    drop(held);
    waiting.await.unwrap().unwrap();
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn two_issuers_do_not_wait_for_each_other() {
    let (one, two) = (Signer::new("one", 1), Signer::new("two", 2));
    let (up, down) = (Issuer::start(&[&one]).await, Issuer::start(&[&two]).await);
    let url = |issuer: &Issuer| KeySource::JwksUrl(format!("http://{}/keys", issuer.address).into());
    let issuers = vec![IssuerConfig::new(ISSUER, url(&up)), IssuerConfig::new("https://other.example", url(&down))];
    let access = Access::new(AccessConfig { issuers, ..AccessConfig::default() }, Clock::fixed(noon())).unwrap();
    let held = down.shown.slow.lock().await;
    let of_other = two.sign(&two.header(), &claims_with("iss", json!("https://other.example")));
    let (late, ()) = futures::join!(access.called_by(of_other.clone()), async {
        while down.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        access.called_by(token(&one, 1)).await.unwrap();
        assert_eq!(access.ready(), Ok(()));
        drop(held);
    });
    late.unwrap();
    // A key belongs to one issuer only.
    assert_eq!(access.called_by(token(&two, 2)).await, Err(Fault::KeyUnknown));
}

#[tokio::test]
async fn an_address_that_leads_elsewhere_is_not_followed() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = access_by(KeySource::JwksUrl(format!("http://{}/moved", issuer.address).into()));
    assert_eq!(access.called_by(token(&signer, 1)).await, Err(Fault::KeysUnavailable));
    assert_eq!(issuer.fetches(), 0);
}

#[tokio::test]
async fn keys_of_a_file_are_seen_anew_without_a_restart() {
    let (old, new) = (Signer::new("old", 1), Signer::new("new", 2));
    let folder = tempfile::TempDir::new().unwrap();
    let (set, pem) = (folder.path().join("keys.json"), folder.path().join("key.pem"));
    let show = |signer: &Signer| {
        std::fs::write(&set, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
        std::fs::write(&pem, signer.key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
    };
    show(&old);
    let doors = [access_by(KeySource::JwksFile(set.clone())), access_by(KeySource::PemFile(pem.clone()))];
    for (number, door) in (0..).zip(&doors) {
        door.called_by(token(&old, number)).await.unwrap();
    }
    // Half a file is no key set.
    std::fs::write(&set, "{\"keys\": [").unwrap();
    std::fs::write(&pem, "-----BEGIN PUBLIC KEY-----").unwrap();
    pass(3).await;
    for (number, door) in (10..).zip(&doors) {
        door.called_by(token(&old, number)).await.unwrap();
    }
    show(&new);
    pass(3).await;
    for (number, door) in (20..).zip(&doors) {
        door.called_by(token(&new, number)).await.unwrap();
        assert!(door.called_by(token(&old, number)).await.is_err());
    }
}

#[tokio::test]
async fn a_token_of_a_file_opens_the_address_and_is_read_again() {
    let signer = Signer::new("one", 1);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let expected = Arc::new(Mutex::new("Bearer first"));
    let set = json!({ "keys": [signer.jwk()] }).to_string();
    let serve = {
        let expected = Arc::clone(&expected);
        move |headers: axum::http::HeaderMap| async move {
            let is_let_in = headers.get("authorization").is_some_and(|value| value == *expected.lock().unwrap());
            if is_let_in { Ok(set) } else { Err(StatusCode::UNAUTHORIZED) }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async { axum::serve(listener, Router::new().route("/keys", get(serve))).await });
    let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksUrl(format!("http://{address}/keys").into()));
    issuer.keys_token_file = Some(file.clone());
    let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
    let access = Access::new(config, Clock::fixed(noon())).unwrap();
    access.called_by(token(&signer, 1)).await.unwrap();
    *expected.lock().unwrap() = "Bearer second";
    let unknown = Signer::new("two", 2);
    assert_eq!(access.called_by(token(&unknown, 1)).await, Err(Fault::KeysUnavailable));
    std::fs::write(&file, "second").unwrap();
    pass(1).await;
    assert_eq!(access.called_by(token(&unknown, 2)).await, Err(Fault::KeyUnknown));
    serving.abort();
}

/// Certificates are loaded if an address needs them, and only then.
#[test]
fn only_an_https_address_needs_certificates() {
    let issuer = |url: &str| IssuerConfig::new(ISSUER, KeySource::JwksUrl(url.into()));
    let new = |issuer: IssuerConfig| {
        let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        Access::new(config, Clock::fixed(noon())).map(drop).map_err(|error| error.to_string())
    };
    for url in ["", "keys.json", "file:///keys.json", "ftp://login.example/keys", "https://", "http//login.example"] {
        assert!(new(issuer(url)).unwrap_err().contains("is no address of a key set"), "{url}");
    }
    // However the scheme is written.
    new(issuer("HTTPS://login.example/keys")).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let own = IssuerConfig { keys_ca_file: Some(file), ..issuer("https://login.example/keys") };
    assert!(new(own).unwrap_err().contains("holds no certificate in PEM"));
    let missing =
        IssuerConfig { keys_token_file: Some("/nowhere/token".into()), ..issuer("http://login.example/keys") };
    assert!(new(missing).unwrap_err().contains("/nowhere/token"));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_half_a_minute() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.called_by(token(&signer, 0)).await.unwrap();
    for round in 1..=3 {
        pass(31).await;
        let flood = (0..200).map(|number| {
            let stranger = Signer::new(&format!("stranger {number}"), 3);
            access.called_by(token(&stranger, number))
        });
        assert!(join_all(flood).await.into_iter().all(|called| called == Err(Fault::KeyUnknown)));
        assert_eq!(issuer.fetches(), 1 + round);
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_forgotten() {
    let (old, new) = (Signer::new("old", 1), Signer::new("new", 2));
    let issuer = Issuer::start(&[&old]).await;
    let access = issuer.access();
    access.called_by(token(&old, 1)).await.unwrap();
    issuer.show(&[&old, &new]);
    pass(31).await;
    access.called_by(token(&new, 1)).await.unwrap();
    access.called_by(token(&old, 2)).await.unwrap();

    issuer.show(&[&new]);
    pass(601).await;
    access.called_by(token(&new, 2)).await.unwrap();
    assert_eq!(access.called_by(token(&old, 3)).await, Err(Fault::KeyUnknown));
}

#[tokio::test]
async fn a_key_set_that_is_none_does_not_replace_the_last_good_one() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.called_by(token(&signer, 1)).await.unwrap();
    let huge = json!({ "keys": [], "padding": "x".repeat(30 << 20) });
    for (number, bad) in (2..).zip([json!("nothing"), json!({ "keys": 7 }), huge]) {
        *issuer.shown.set.lock().unwrap() = Some(bad);
        pass(601).await;
        access.called_by(token(&signer, number)).await.unwrap();
    }
    assert_eq!(issuer.fetches(), 4);
}

/// Keys for other purposes, or of unknown kinds, do not spoil the others.
#[tokio::test]
async fn keys_that_are_of_no_use_are_left_out_of_a_set() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[]).await;
    let mut for_secrets = Signer::new("enc", 2).jwk();
    for_secrets["use"] = json!("enc");
    let mut of_another_algorithm = Signer::new("rs", 3).jwk();
    of_another_algorithm["alg"] = json!("RS256");
    let new = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA" });
    let keys = json!({ "keys": [new, 7, for_secrets, of_another_algorithm, signer.jwk()] });
    *issuer.shown.set.lock().unwrap() = Some(keys);
    let access = issuer.access();
    let nameless = signer.sign(&json!({ "alg": "EdDSA" }), &claims());
    access.called_by(nameless).await.unwrap();
    for unusable in [Signer::new("enc", 2), Signer::new("rs", 3)] {
        assert_eq!(access.called_by(token(&unusable, 1)).await, Err(Fault::Algorithm), "{}", unusable.id);
    }
}

#[tokio::test]
async fn a_symmetric_key_of_a_set_is_not_used() {
    let (signer, issuer) = (Signer::new("one", 1), Issuer::start(&[]).await);
    let secret = [7_u8; 32];
    let shared = json!({ "kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret) });
    *issuer.shown.set.lock().unwrap() = Some(json!({ "keys": [shared, signer.jwk()] }));
    let header = jsonwebtoken::Header {
        kid: Some("shared".to_owned()),
        ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256)
    };
    let key = jsonwebtoken::EncodingKey::from_secret(&secret);
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    assert_eq!(issuer.access().called_by(token).await, Err(Fault::Algorithm));
}

/// A key that makes the verifier panic is not used, but those beside it are.
#[tokio::test]
async fn a_key_of_another_length_than_its_kinds_is_refused_and_nothing_else() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[]).await;
    for bytes in [0, 3, 31, 33, 57] {
        let bad = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": URL_SAFE_NO_PAD.encode(vec![0x66; bytes]) });
        *issuer.shown.set.lock().unwrap() = Some(json!({ "keys": [bad, signer.jwk()] }));
        let access = issuer.access();
        assert_eq!(access.called_by(token(&Signer::new("k", 2), 1)).await, Err(Fault::Algorithm), "{bytes}");
        access.called_by(token(&signer, 1)).await.unwrap();
    }
}

#[tokio::test]
async fn keys_of_one_name_or_of_none_are_all_tried() {
    let (one, two) = (Signer::new("one", 1), Signer::new("two", 2));
    let named = |signer: &Signer, id: Value| {
        let mut key = signer.jwk();
        key["kid"] = id;
        key
    };
    let rsa = json!({ "kty": "RSA", "n": format!("_{}8", "A".repeat(340)), "e": "AQAB", "kid": "one" });
    let issuer = Issuer::start(&[]).await;
    for (keys, id) in [
        (json!([named(&one, Value::Null), named(&two, Value::Null)]), None),
        (json!([named(&one, Value::Null), named(&two, Value::Null)]), Some("any")),
        (json!([named(&one, json!("same")), named(&two, json!("same"))]), Some("same")),
        (json!([rsa, named(&one, json!("one")), named(&two, json!("one"))]), Some("one")),
    ] {
        *issuer.shown.set.lock().unwrap() = Some(json!({ "keys": keys }));
        let access = issuer.access();
        for signer in [&one, &two] {
            let called = access.caller(&signer.sign(&json!({ "alg": "EdDSA", "kid": id }), &claims())).await;
            called.unwrap_or_else(|refused| panic!("{keys} {id:?}: {refused}"));
        }
        let stranger = Signer::new("three", 3).sign(&json!({ "alg": "EdDSA", "kid": id }), &claims());
        assert_eq!(access.caller(&stranger).await.unwrap_err().fault, Fault::Signature);
    }
    assert_eq!(issuer.fetches(), 4, "one for each");
}

#[tokio::test]
async fn a_set_without_a_key_of_use_does_not_replace_the_last_good_one() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let doors = [issuer.access(), access_by(KeySource::JwksFile(file.clone()))];
    for door in &doors {
        door.called_by(token(&signer, 0)).await.unwrap();
    }
    let mut for_secrets = signer.jwk();
    for_secrets["use"] = json!("enc");
    for (round, none) in (1..).zip([json!({ "keys": [] }), json!({ "keys": [for_secrets] })]) {
        *issuer.shown.set.lock().unwrap() = Some(none.clone());
        std::fs::write(&file, none.to_string()).unwrap();
        pass(601).await;
        for door in &doors {
            door.called_by(token(&signer, round)).await.unwrap();
        }
        // If it is loaded first, it is unusable, too.
        let first = issuer.access();
        assert_eq!(first.called_by(token(&signer, round)).await, Err(Fault::KeysUnavailable));
        assert!(first.ready().is_err());
        let config = AccessConfig {
            issuers: vec![IssuerConfig::new(ISSUER, KeySource::JwksFile(file.clone()))],
            ..AccessConfig::default()
        };
        assert!(Access::new(config, Clock::fixed(noon())).is_err());
    }
}

#[tokio::test]
async fn a_caller_with_a_known_key_does_not_wait_for_an_issuer_that_hangs() {
    let (signer, unknown) = (Signer::new("one", 1), Signer::new("two", 2));
    let issuer = Issuer::start(&[&signer]).await;
    let access = Arc::new(issuer.access());
    access.called_by(token(&signer, 1)).await.unwrap();
    let held = issuer.shown.slow.lock().await;
    pass(601).await;
    let begun = std::time::Instant::now();
    access.called_by(token(&signer, 2)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    access.called_by(token(&signer, 3)).await.unwrap();
    // Other callers wait no longer than the fetch timeout.
    assert_eq!(access.called_by(token(&unknown, 1)).await, Err(Fault::KeysUnavailable));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop(held);
}

#[tokio::test]
async fn an_issuer_that_is_down_fills_no_log_however_often_it_is_asked_for() {
    let (signer, unknown) = (Signer::new("one", 1), Signer::new("two", 2));
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.called_by(token(&signer, 1)).await.unwrap();
    issuer.break_down();
    let lines = Lines::from(tracing::Level::WARN);
    for number in 0..20 {
        let refused = access.caller(&token(&unknown, number)).await.unwrap_err();
        assert!(refused.detail.contains("503"), "the operator is told why: {refused}");
        pass(1).await;
    }
    assert!(issuer.fetches() > 10, "{}", issuer.fetches());
    assert_eq!(lines.with("a key set cannot be had"), 1, "{}", lines.text());
    *issuer.shown.set.lock().unwrap() = Some(json!({ "keys": [] }));
    let refused = access.caller(&token(&unknown, 20)).await.unwrap_err();
    assert!(refused.detail.contains("the key set is empty"), "{refused}");
    assert_eq!(lines.with("a key set cannot be had"), 2, "another reason: {}", lines.text());
    pass(31).await;
    access.caller(&token(&unknown, 21)).await.unwrap_err();
    assert_eq!(lines.with("a key set cannot be had"), 3, "{}", lines.text());
}
