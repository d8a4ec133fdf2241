//! Commands wait for an issuer whose keys cannot be had yet, and go on.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::sleep,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_platform::{
    access::{Access, AccessConfig, IssuerConfig, KeySource, LocalKey, TokenRequest},
    clock::Clock,
    grpc::{GrpcConfig, Server},
    region::RegionCode,
};
use tongxin_tests::run;
use tonic::service::Routes;

use crate::told::assert_says;

/// A door behind which nothing is, and the server of the keys that it needs.
struct Door {
    address: SocketAddr,
    are_keys_there: Arc<AtomicBool>,
    folder: TempDir,
    _stop: DropGuard,
}

impl Door {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let key = LocalKey::in_folder(folder.path()).unwrap();
        let pem = std::fs::read_to_string(folder.path().join("token.pub.pem")).unwrap();
        let are_keys_there = Arc::new(AtomicBool::new(false));
        let keys = serve(set_of(&pem), Arc::clone(&are_keys_there)).await;
        let url = KeySource::JwksUrl(format!("http://{keys}/keys").into());
        let issuer = IssuerConfig { keys: url, ..key.issuer() };
        let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        let access = Arc::new(Access::new(config, Clock::system()).unwrap());
        let server = Server::bind(GrpcConfig::default(), access, (&tongxin_proto::PRODUCT, &[]), Routes::default())
            .await
            .unwrap();
        let address = server.address().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(server.run(stop.clone()));
        let request = TokenRequest {
            subject: "zhang".to_owned(),
            roles: vec!["operator".to_owned()],
            region: RegionCode::parse("441800000000").unwrap(),
            department: None,
            lifetime: Duration::from_hours(1),
        };
        std::fs::write(folder.path().join("token"), key.sign(&request, &Clock::system()).unwrap()).unwrap();
        Self { address, are_keys_there, folder, _stop: stop.drop_guard() }
    }

    /// What a command says on standard error.
    async fn said(&self, command: &[&str]) -> String {
        let (gateway, token) = (format!("http://{}", self.address), self.folder.path().join("token"));
        let arguments = [command, &["--gateway", &gateway, "--token-file", token.to_str().unwrap()]].concat();
        String::from_utf8(run(&arguments).await.unwrap().stderr).unwrap()
    }
}

/// The key of a PEM file in the form of a set: its last 32 bytes, which begin with a letter of base64.
fn set_of(pem: &str) -> String {
    let text = pem.lines().nth(1).unwrap();
    let x = text[16..].trim_end_matches('=').replace('+', "-").replace('/', "_");
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#)
}

/// Answers nobody until the keys are there.
async fn serve(set: String, are_there: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if are_there.load(Relaxed) {
                let _ = stream.read(&mut [0; 4_096]).await;
                let answer =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{set}", set.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn commands_wait_for_keys_and_go_on() {
    let door = Door::start().await;
    let file = |name: &str, text: &str| {
        let path = door.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let regions =
        file("regions.csv", "code,name,level,parent_code,assisted\n441800000000,清远市,city,440000000000,0\n");
    let households = file(
        "households.csv",
        "household_number,region_code,support,name,id_number,relation,health,labour,schooling,work\n\
         1,441823107200,none,陈伯,11010519491231002X,head,healthy,weak,not_at_school,farming\n",
    );
    let commands = [
        &["scorecard", "441800000000"][..],
        &["screen", "441800000000"],
        &["check", "441800000000"],
        &["overdue", "441800000000"],
        &["import", "regions", &regions],
        &["import", "households", &households],
    ];
    let all = futures::future::join_all(commands.iter().map(|command| door.said(command)));
    let (said, ()) = futures::join!(all, async {
        sleep(Duration::from_secs(3)).await;
        door.are_keys_there.store(true, Relaxed);
    });
    for (command, said) in commands.iter().zip(said) {
        assert_says(&said, &["waiting, for 60 seconds at most", "KEYS_UNAVAILABLE"]);
        assert_eq!(said.matches("waiting").count(), 1, "{command:?}: {said}");
        // It was let in, and there is nothing behind this door.
        assert_says(&said, &["METHOD_UNKNOWN"]);
    }
}
