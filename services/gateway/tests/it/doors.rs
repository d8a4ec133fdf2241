//! Who gets in while the keys of the issuer cannot be had, and what the operator sees.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, routing::get};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tongxin_platform::{
    access::{Access, AccessConfig, IssuerConfig, KeySource},
    testing::{TestWorld, eventually},
};

use crate::support::{CITY, FakePairing, PROVINCE, Stage, world};

/// A program whose issuer serves keys at an address where nobody may listen.
async fn stage(address: SocketAddr) -> Stage {
    let (mut world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let keys = KeySource::JwksUrl(format!("http://{address}/keys").into());
    let issuers = vec![IssuerConfig::new("tongxin-local", keys)];
    let config = AccessConfig { issuers, ..AccessConfig::default() };
    world.shared.access = Arc::new(Access::new(config, world.clock.clone()).unwrap());
    Stage::with(world, nats, pairing, |_| {}).await
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn serve(world: &TestWorld, address: SocketAddr) -> JoinHandle<()> {
    let set = world.key_set();
    let router = Router::new().route("/keys", get(async || set));
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

/// Status, code and reason of what a call is answered, which need not be allowed.
async fn ask(stage: &Stage, token: &str) -> (StatusCode, String, String) {
    let url = format!("http://{}/tongxin.gateway.v1.GatewayService/ListIndicators", stage.grpc);
    let request = Client::new().post(url).header("content-type", "application/json").bearer_auth(token).body("{}");
    let response = request.send().await.unwrap();
    let status = response.status();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (status, text(&body["code"]), text(&body["details"][0]["debug"]["reason"]))
}

async fn ready(stage: &Stage) -> (StatusCode, String) {
    let response = reqwest::get(format!("http://{}/readyz", stage.admin)).await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn while_keys_cannot_be_had_callers_are_told_to_wait_and_then_get_in() {
    let address = free_address().await;
    let stage = stage(address).await;
    let token = stage.world.token("hq", PROVINCE);
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned(), "KEYS_UNAVAILABLE".to_owned());
    assert_eq!(ask(&stage, &token).await, unavailable);
    let (status, text) = ready(&stage).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && text.contains("access: no issuer's keys"), "{text}");

    let serving = serve(&stage.world, address).await;
    eventually("the token is good", || async { ask(&stage, &token).await.0 == StatusCode::OK }).await;
    eventually("all is ready", || async { ready(&stage).await.0 == StatusCode::OK }).await;
    serving.abort();
    let _ = serving.await;
    // Another token of the same key.
    assert_eq!(ask(&stage, &stage.world.token("county", CITY)).await.0, StatusCode::OK);
    assert_eq!(ready(&stage).await.0, StatusCode::OK);
    stage.stop().await;
}
