//! Keys that an issuer serves: down, rotated, withdrawn, and asked for too often.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
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
}

async fn serve_set(State(shown): State<Shown>) -> Result<String, StatusCode> {
    shown.fetches.fetch_add(1, Relaxed);
    let set = shown.set.lock().unwrap().clone();
    set.map(|set| set.to_string()).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

impl Issuer {
    async fn start(signers: &[&Signer]) -> Self {
        let shown = Shown::default();
        let router = Router::new().route("/keys", get(serve_set)).with_state(shown.clone());
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

/// Lets time pass for keys, but not for connections.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// A token that was not seen before, so that its key is looked for.
fn token(signer: &Signer, number: usize) -> String {
    signer.sign(&signer.header(), &claims_with("jti", json!(number)))
}

#[tokio::test]
async fn keys_are_fetched_when_the_first_token_comes_and_kept() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    let calls = (0..50).map(|number| access.caller_of(token(&signer, number)));
    assert!(join_all(calls).await.into_iter().all(|called| called.is_ok()));
    assert_eq!(issuer.fetches(), 1);
}

impl Access {
    async fn caller_of(&self, token: String) -> Result<(), TokenRefused> {
        self.caller(&token).await.map(drop)
    }
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_issuer_is_down() {
    let (signer, unknown) = (Signer::new("one", 1), Signer::new("two", 2));
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.caller_of(token(&signer, 1)).await.unwrap();
    issuer.break_down();
    for number in 2..5 {
        pass(3600).await;
        assert_eq!(access.caller_of(token(&unknown, number)).await, Err(TokenRefused::Key));
        access.caller_of(token(&signer, number)).await.unwrap();
    }
    issuer.show(&[&signer, &unknown]);
    pass(31).await;
    access.caller_of(token(&unknown, 9)).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_half_a_minute() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.caller_of(token(&signer, 0)).await.unwrap();
    for round in 1..=3 {
        pass(31).await;
        let flood = (0..200).map(|number| {
            let stranger = Signer::new(&format!("stranger {number}"), 3);
            access.caller_of(token(&stranger, number))
        });
        assert!(join_all(flood).await.into_iter().all(|called| called == Err(TokenRefused::Key)));
        assert_eq!(issuer.fetches(), 1 + round);
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_forgotten() {
    let (old, new) = (Signer::new("old", 1), Signer::new("new", 2));
    let issuer = Issuer::start(&[&old]).await;
    let access = issuer.access();
    access.caller_of(token(&old, 1)).await.unwrap();
    issuer.show(&[&old, &new]);
    pass(31).await;
    access.caller_of(token(&new, 1)).await.unwrap();
    access.caller_of(token(&old, 2)).await.unwrap();

    issuer.show(&[&new]);
    pass(601).await;
    access.caller_of(token(&new, 2)).await.unwrap();
    assert_eq!(access.caller_of(token(&old, 3)).await, Err(TokenRefused::Key));
}

#[tokio::test]
async fn a_key_set_that_is_none_does_not_replace_the_last_good_one() {
    let signer = Signer::new("one", 1);
    let issuer = Issuer::start(&[&signer]).await;
    let access = issuer.access();
    access.caller_of(token(&signer, 1)).await.unwrap();
    let huge = json!({ "keys": [], "padding": "x".repeat(2 << 20) });
    for (number, bad) in (2..).zip([json!("nothing"), json!({ "keys": 7 }), huge]) {
        *issuer.shown.set.lock().unwrap() = Some(bad);
        pass(601).await;
        access.caller_of(token(&signer, number)).await.unwrap();
    }
    assert_eq!(issuer.fetches(), 4);
}

#[tokio::test]
async fn a_symmetric_key_of_a_set_is_not_used() {
    let issuer = Issuer::start(&[]).await;
    let secret = [7_u8; 32];
    let shared = json!({ "kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret) });
    *issuer.shown.set.lock().unwrap() = Some(json!({ "keys": [shared] }));
    let header = jsonwebtoken::Header {
        kid: Some("shared".to_owned()),
        ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256)
    };
    let key = jsonwebtoken::EncodingKey::from_secret(&secret);
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    assert_eq!(issuer.access().caller_of(token).await, Err(TokenRefused::Key));
}
