//! TLS at a server's port.

use std::{io, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use tongxin_platform::{
    error::chain,
    grpc::{TlsConfig, secure_channel},
    testing::{
        certificates::{Authority, Signed},
        eventually,
    },
};

/// The beginning of a handshake that never ends.
const HALF: [u8; 5] = [0x16, 3, 1, 2, 0];

/// Earlier than the handshake timeout.
const SOON: Duration = Duration::from_secs(8);

/// A server with TLS, and the files of its certificate.
struct Secure {
    served: Served,
    authority: Authority,
    folder: TempDir,
}

impl Secure {
    async fn start(set: impl FnOnce(&mut GrpcConfig)) -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["localhost"]);
        Self::showing(authority, &signed, set).await
    }

    async fn showing(authority: Authority, signed: &Signed, set: impl FnOnce(&mut GrpcConfig)) -> Self {
        let folder = TempDir::new().unwrap();
        authority.write(folder.path());
        let mut config = GrpcConfig { tls: Some(signed.write(folder.path())), ..GrpcConfig::default() };
        set(&mut config);
        Self { served: Served::start(config).await, authority, folder }
    }

    /// A client that trusts its authority.
    fn caller(&self) -> Caller {
        let tls = TlsConfig { ca_file: Some(self.folder.path().join("ca.pem")), ..TlsConfig::default() };
        let address = format!("https://localhost:{}", self.served.address.port());
        let client = client(&address, &tls);
        Caller { address, tls, client, bearer: self.served.bearer("operator") }
    }

    /// A connection that offers some protocols.
    async fn connect(&self, protocols: &[&[u8]]) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(self.served.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    /// The certificate that it presents to a new connection.
    async fn shown(&self) -> CertificateDer<'static> {
        let stream = self.connect(&[b"h2"]).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    }

    async fn half_a_handshake(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.served.address).await.unwrap();
        // The server may have closed it already.
        let _ = stream.write_all(&HALF).await;
        stream
    }
}

struct Caller {
    address: String,
    tls: TlsConfig,
    client: LogServiceClient<Channel>,
    bearer: String,
}

fn client(address: &str, tls: &TlsConfig) -> LogServiceClient<Channel> {
    LogServiceClient::new(secure_channel(address, tls).unwrap())
}

impl Caller {
    /// Makes the next call on a new connection.
    fn connects_anew(&mut self) {
        self.client = client(&self.address, &self.tls);
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.parse().unwrap());
        request
    }

    async fn call(&mut self) -> Result<(), Status> {
        let request = self.request(GetHashRequest { seq: 1 });
        self.client.get_hash(request).await.map(drop)
    }
}

async fn ends(mut stream: TcpStream) -> bool {
    timeout(SOON, stream.read_to_end(&mut Vec::new())).await.is_ok()
}

#[tokio::test]
async fn a_good_client_is_served_while_two_hundred_handshakes_stand_still() {
    for max_connections in [1_024, 8] {
        let secure = Secure::start(|grpc| grpc.max_connections = max_connections).await;
        let served = timeout(SOON, async {
            let mut halves = Vec::new();
            for _ in 0..200 {
                halves.push(secure.half_a_handshake().await);
            }
            secure.caller().call().await
        });
        served.await.unwrap_or_else(|_| panic!("not served with {max_connections} places")).unwrap();
    }
}

#[tokio::test]
async fn a_handshake_counts_as_an_idle_connection() {
    let secure = Secure::start(|grpc| grpc.max_connections = 4).await;
    let mut friend = secure.caller();
    friend.call().await.unwrap();
    // Half of the places are for connections without an admitted call.
    let first = secure.half_a_handshake().await;
    let others = [secure.half_a_handshake().await, secure.half_a_handshake().await];
    assert!(ends(first).await, "it makes place");
    friend.call().await.unwrap();
    drop(others);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let secure = Secure::start(|grpc| grpc.tls.as_mut().unwrap().handshake_seconds = 1).await;
    let silent = TcpStream::connect(secure.served.address).await.unwrap();
    let (silent, half) = tokio::join!(ends(silent), ends(secure.half_a_handshake().await));
    assert!(silent && half, "they are waited for");
    secure.caller().call().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_replaced_under_load_and_no_call_is_dropped() {
    let secure = Secure::start(|grpc| grpc.tls.as_mut().unwrap().reload_seconds = 1).await;
    let mut long = secure.caller();
    long.call().await.unwrap();
    let request = long.request(GetHeadRequest {});
    let under_way = tokio::spawn(async move { long.client.get_head(request).await });
    secure.served.log.arrived.acquire().await.unwrap().forget();

    let (before, done) = (secure.shown().await, CancellationToken::new());
    let mut callers = JoinSet::new();
    for anew in [false, false, true, true] {
        let (done, mut caller) = (done.clone(), secure.caller());
        callers.spawn(async move {
            let mut calls = 0;
            while !done.is_cancelled() {
                if anew {
                    caller.connects_anew();
                }
                caller.call().await.unwrap();
                calls += 1;
            }
            calls
        });
    }
    // One file after the other, as an operator copies them.
    secure.authority.sign(&["localhost"]).write(secure.folder.path());
    eventually("the other certificate is shown", || async { secure.shown().await != before }).await;
    secure.caller().call().await.unwrap();
    done.cancel();
    while let Some(calls) = callers.join_next().await {
        assert!(calls.expect("no call is dropped") > 0);
    }
    secure.served.log.allowed.notify_one();
    under_way.await.unwrap().expect("what was under way is answered");
}

#[tokio::test]
async fn a_protocol_is_agreed_on_that_the_port_speaks() {
    let both: [&[u8]; 2] = [b"http/1.1", b"h2"];
    for (accept_http1, offered, agreed) in [
        (true, &both[..], Some(&b"h2"[..])),
        (true, &both[..1], Some(b"http/1.1")),
        (true, &[], None),
        (false, &both[..], Some(b"h2")),
    ] {
        let secure = Secure::start(|grpc| grpc.accept_http1 = accept_http1).await;
        let mut stream = secure.connect(offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        if agreed != Some(b"h2") {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            // A peer may close without saying so in TLS.
            let _ = stream.read_to_string(&mut answer).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        }
    }
    let secure = Secure::start(|_| {}).await;
    let refused = secure.connect(&both[..1]).await.unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
}

#[tokio::test]
async fn clients_refuse_an_expired_certificate_another_name_and_a_stranger() {
    let authority = Authority::new();
    let stranger = Authority::new().sign(&["localhost"]);
    let expired = authority.sign_for_days(&["localhost"], (2020, 1, 1), (2021, 1, 1));
    let early = authority.sign_for_days(&["localhost"], (2090, 1, 1), (2091, 1, 1));
    let another = authority.sign(&["gateway.example"]);
    let mut authority = Some(authority);
    for (signed, fault) in [
        (&expired, "expired"),
        (&early, "not valid yet"),
        (&another, "not valid for name \"localhost\""),
        (&stranger, "invalid peer certificate"),
    ] {
        let secure = Secure::showing(authority.take().unwrap(), signed, |_| {}).await;
        let refused = secure.caller().call().await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(chain(&refused).contains(fault), "{}", chain(&refused));
        authority = Some(secure.authority);
    }
}

#[tokio::test]
async fn whoever_speaks_http_is_told_that_this_is_tls() {
    let secure = Secure::start(|_| {}).await;
    for greeting in ["POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(secure.served.address).await.unwrap();
        stream.write_all(greeting.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_keeps_a_server_from_starting() {
    let (authority, folder) = (Authority::new(), TempDir::new().unwrap());
    let tls = authority.sign(&["localhost"]).write(folder.path());
    std::fs::write(&tls.key_file, authority.sign(&["localhost"]).key).unwrap();
    let world = TestWorld::at(noon()).await;
    let config = GrpcConfig { tls: Some(tls), ..GrpcConfig::default() };
    let started =
        Server::bind(config, Arc::clone(&world.shared.access), (&tongxin_proto::PRODUCT, &[]), Routes::default()).await;
    let refused = started.map(drop).unwrap_err();
    assert!(chain(&refused).contains("grpc.tls: key_file: the key in "), "{}", chain(&refused));
}
