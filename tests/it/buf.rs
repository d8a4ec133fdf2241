//! `buf curl`, which speaks Connect, gRPC and gRPC-Web, and reads what there is to call from the server or from a schema.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tongxin_platform::clock::Clock;
use tongxin_tests::entries::request_id;

use crate::support::{VILLAGE, date_in_json, shared, tokens};

const PROTOCOLS: [&str; 3] = ["connect", "grpc", "grpcweb"];
const REGION: &str = "tongxin.pairing.v1.PairingService/GetRegion";
const CHECK: &str = "tongxin.monitoring.v1.VillageService/CheckHouseholds";
const WARN: &str = "tongxin.monitoring.v1.SignalService/SubmitWarnings";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn program() -> PathBuf {
    root().join(".tools/bin/buf")
}

/// The program, and tokens of those who call.
struct Buf {
    gateway: String,
    tokens: TempDir,
    /// The contract's folder, and what `buf build` makes of it, which is read sooner.
    folder: String,
    image: String,
}

/// Where a call reads from what there is to call.
#[derive(Debug, Clone, Copy)]
enum From {
    Server,
    Folder,
    Image,
}

impl Buf {
    async fn new() -> Self {
        let tokens = tokens(&[
            ("hq", "hq", "441800000000"),
            ("town", "town", "441823107000"),
            ("department", "department", "441823000000"),
        ])
        .await;
        let gateway = shared().await.instance.gateway.clone();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (folder, image) = (text(&root().join("proto")), text(&tokens.path().join("contract.binpb")));
        let built = Command::new(program()).args(["build", &folder, "-o", &image]).status().await.unwrap();
        assert!(built.success());
        Self { gateway, tokens, folder, image }
    }

    /// What it prints, or the number of the code and the error with which a call ended.
    async fn curl(&self, path: &str, arguments: &[&str]) -> Result<String, (i32, Value)> {
        let run = Command::new(program())
            .args(["curl", "--timeout", "60s"])
            .args(arguments)
            .arg(format!("{}/{path}", self.gateway))
            // Where it keeps what it downloads, which is nothing.
            .env("HOME", self.tokens.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let run = tokio::time::timeout(Duration::from_mins(2), run).await.unwrap().unwrap();
        if run.status.success() {
            return Ok(String::from_utf8(run.stdout).unwrap());
        }
        let said = String::from_utf8_lossy(&run.stderr);
        let code = run.status.code().unwrap();
        assert!(code >= 8, "{path} {arguments:?}: {said}");
        // gRPC's code stands above three bits.
        Err((code >> 3, serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))))
    }

    /// Calls a method in a protocol.
    async fn call(
        &self,
        (protocol, from): (&str, From),
        person: &str,
        method: &str,
        messages: &str,
    ) -> Result<Vec<Value>, (i32, Value)> {
        let token = std::fs::read_to_string(self.tokens.path().join(person)).unwrap();
        let bearer = format!("authorization: Bearer {}", token.trim());
        let mut arguments = vec!["--protocol", protocol, "--header", &bearer, "--data", messages];
        match from {
            From::Server => {}
            From::Folder => arguments.extend(["--schema", &self.folder]),
            From::Image => arguments.extend(["--schema", &self.image]),
        }
        let said = self.curl(method, &arguments).await?;
        Ok(serde_json::Deserializer::from_str(&said).into_iter().map(|one| one.unwrap()).collect())
    }
}

#[tokio::test]
async fn buf_lists_and_describes_what_the_server_reflects() {
    let buf = Buf::new().await;
    let listed = PROTOCOLS.map(|protocol| [(protocol, "grpc-v1"), (protocol, "grpc-v1alpha")]).concat();
    let listed = listed.into_iter().map(|(protocol, reflection)| {
        let buf = &buf;
        async move {
            let said = ["--protocol", protocol, "--reflect-protocol", reflection];
            let services = buf.curl("", &[&said[..], &["--list-services"]].concat()).await.unwrap();
            for service in ["tongxin.pairing.v1.PairingService", "grpc.health.v1.Health"] {
                assert!(services.lines().any(|line| line.trim() == service), "{protocol}: {services}");
            }
            let methods = buf.curl("", &[&said[..], &["--list-methods"]].concat()).await.unwrap();
            for method in [REGION, CHECK, WARN] {
                assert!(methods.lines().any(|line| line.trim() == method), "{protocol}: {methods}");
            }
        }
    });
    join_all(listed).await;
}

#[tokio::test]
async fn buf_calls_methods_of_each_kind_in_each_protocol() {
    let buf = Buf::new().await;
    let ways = PROTOCOLS.map(|protocol| [(protocol, From::Server), (protocol, From::Folder)]).concat();
    join_all(ways.into_iter().map(|way| of_each_kind(&buf, way))).await;
}

async fn of_each_kind(buf: &Buf, way: (&str, From)) {
    let region = buf.call(way, "hq", REGION, r#"{"code":"441823000000"}"#).await.unwrap();
    assert_eq!(region[0]["region"]["name"], "阳山县", "{way:?}");

    let checked = buf.call(way, "town", CHECK, &json!({ "regionCode": VILLAGE }).to_string()).await.unwrap();
    assert_eq!(checked.last().unwrap()["done"], true, "{way:?}: {checked:?}");

    let day = date_in_json(Clock::system().today());
    let options = json!({ "options": { "requestId": request_id(), "department": "DEPARTMENT_MEDICAL_INSURANCE" } });
    let rows = |number: &str| {
        let row = json!({ "idNumber": number, "cause": "RISK_ILLNESS", "occurredOn": day, "reference": request_id() });
        json!({ "rows": { "rows": [row] } })
    };
    let messages = format!("{options}{}{}", rows("441823198501039999"), rows("1"));
    let warned = buf.call(way, "department", WARN, &messages).await.unwrap();
    assert_eq!((&warned[0]["received"], &warned[0]["malformed"]), (&json!("1"), &json!("1")), "{way:?}: {warned:?}");
}

#[tokio::test]
async fn errors_are_the_same_for_buf_in_each_protocol() {
    let buf = Buf::new().await;
    let told = join_all(PROTOCOLS.map(|protocol| errors(&buf, protocol))).await;
    let codes: Vec<_> = told[0].iter().map(|(code, ..)| *code).collect();
    assert_eq!(codes, [3, 5, 5, 7, 7, 5], "{told:?}");
    for errors in &told {
        assert_eq!(errors, &told[0]);
    }
}

/// The number of a code, its name, the text, and the details.
type Told = (i32, Value, Value, Vec<(Value, Value)>);

async fn errors(buf: &Buf, protocol: &str) -> Vec<Told> {
    let options = |department: &str| json!({ "options": { "requestId": request_id(), "department": format!("DEPARTMENT_{department}") } });
    let mut errors = Vec::new();
    for (person, method, messages) in [
        ("hq", REGION, r#"{"code":"44"}"#.to_owned()),
        ("hq", REGION, r#"{"code":"441899999999"}"#.to_owned()),
        ("department", REGION, r#"{"code":"440000000000"}"#.to_owned()),
        ("hq", WARN, options("HEALTH").to_string()),
        ("department", WARN, options("HEALTH").to_string()),
        ("town", CHECK, r#"{"regionCode":"441825000000"}"#.to_owned()),
    ] {
        let (code, error) = buf.call((protocol, From::Image), person, method, &messages).await.unwrap_err();
        let details = error["details"].as_array().cloned().unwrap_or_default();
        let details: Vec<_> = details.iter().map(|detail| (detail["type"].clone(), detail["value"].clone())).collect();
        assert!(!details.is_empty(), "{protocol} {method}: {error}");
        errors.push((code, error["code"].clone(), error["message"].clone(), details));
    }
    errors
}
