//! The gateway's own port speaks TLS: the same calls, and what answers tell browsers.

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tongxin_platform::{
    grpc::{TlsConfig, secure_channel},
    testing::certificates::Authority,
};
use tongxin_proto::pairing::v1::{GetRegionRequest, pairing_service_client::PairingServiceClient};

use crate::support::{COUNTY, FakePairing, PROVINCE, Stage, world};

const REGION: &str = "tongxin.pairing.v1.PairingService/GetRegion";

/// What every answer to a browser says, if it says anything of it.
const TOLD: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
];
const HTTPS_ONLY: &str = "strict-transport-security";

/// A gateway that speaks TLS, and who signed its certificate.
struct Secure {
    stage: Stage,
    authority: Authority,
    folder: TempDir,
}

impl Secure {
    async fn set(hsts_seconds: u64) -> Self {
        let (authority, folder) = (Authority::new(), TempDir::new().unwrap());
        authority.write(folder.path());
        let tls = authority.sign(&["localhost"]).write(folder.path());
        let (world, nats) = world().await;
        let pairing = FakePairing::start(&world).await;
        let stage = Stage::with(world, nats, pairing, |config| {
            config.grpc.tls = Some(tls);
            config.hsts_seconds = hsts_seconds;
        })
        .await;
        Self { stage, authority, folder }
    }

    fn address(&self) -> String {
        format!("https://localhost:{}", self.stage.grpc.port())
    }

    async fn post(&self, form: &str, body: impl Into<reqwest::Body>) -> Response {
        let authority = reqwest::Certificate::from_pem(self.authority.pem.as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([authority]).build().unwrap();
        post(&client, &self.stage, &self.address(), form, body).await
    }
}

async fn post(client: &Client, stage: &Stage, address: &str, form: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = client.post(format!("{address}/{REGION}")).header("content-type", form).body(body);
    let token = stage.world.token("hq", PROVINCE);
    request.header("authorization", format!("Bearer {token}")).send().await.unwrap()
}

fn question() -> String {
    format!(r#"{{"code":"{COUNTY}"}}"#)
}

fn told(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn calls_in_grpc_and_json_come_by_tls() {
    let secure = Secure::set(3600).await;
    let answer = secure.post("application/json", question()).await;
    assert_eq!((answer.status(), told(&answer, HTTPS_ONLY).as_deref()), (StatusCode::OK, Some("max-age=3600")));
    for (name, value) in TOLD {
        assert_eq!(told(&answer, name).as_deref(), Some(value), "{name}");
    }
    let region: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(region["region"]["name"], "阳山县");

    let tls = TlsConfig { ca_file: Some(secure.folder.path().join("ca.pem")), ..TlsConfig::default() };
    let channel = secure_channel(&secure.address(), &tls).unwrap();
    let request = secure.stage.request("hq", PROVINCE, GetRegionRequest { code: COUNTY.to_owned() });
    let answer = PairingServiceClient::new(channel).get_region(request).await.unwrap();
    let noise = TOLD.map(|(name, _)| name).into_iter().chain([HTTPS_ONLY]);
    let noise: Vec<_> = noise.filter(|name| answer.metadata().contains_key(*name)).collect();
    assert_eq!(noise, [""; 0], "gRPC has no use for them");
    assert_eq!(answer.into_inner().region.unwrap().name, "阳山县");
    secure.stage.stop().await;
}

#[tokio::test]
async fn refusals_tell_browsers_the_same() {
    let secure = Secure::set(3600).await;
    for (form, body) in [("text/plain", "x"), ("application/json", "x"), ("application/grpc-web+proto", "x")] {
        let answer = secure.post(form, body).await;
        for (name, value) in TOLD.into_iter().chain([(HTTPS_ONLY, "max-age=3600")]) {
            assert_eq!(told(&answer, name).as_deref(), Some(value), "{form}: {name}");
        }
    }
    secure.stage.stop().await;
}

#[tokio::test]
async fn only_a_port_that_speaks_tls_tells_browsers_to_use_it() {
    let plain = Stage::set().await;
    let address = format!("http://{}", plain.grpc);
    let answer = post(&Client::new(), &plain, &address, "application/json", question()).await;
    assert_eq!((answer.status(), told(&answer, HTTPS_ONLY)), (StatusCode::OK, None));
    assert_eq!(told(&answer, TOLD[0].0).as_deref(), Some(TOLD[0].1));
    plain.stop().await;

    let untold = Secure::set(0).await;
    assert_eq!(told(&untold.post("application/json", question()).await, HTTPS_ONLY), None);
    untold.stage.stop().await;
}
