//! The gateway reaches other services by TLS, and only those that an authority of its own vouches for.

use std::{convert::Infallible, net::SocketAddr, path::PathBuf};

use axum::extract::Request;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tongxin_platform::{
    grpc::TlsConfig,
    testing::certificates::{Authority, Signed},
};
use tongxin_proto::pairing::v1::{GetRegionRequest, pairing_service_client::PairingServiceClient};
use tonic::{
    Code, Status,
    body::Body,
    service::Routes,
    transport::{Certificate, Channel, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tower::{ServiceExt as _, service_fn};

use crate::support::{
    CITY, COUNTY, FakePairing, PROVINCE, Stage,
    events::{activity, register},
    world,
};

/// Speaks TLS with whoever shows a certificate of the authority, and passes calls on to pairing.
async fn serve(pairing: &FakePairing, authority: &Authority, own: Signed) -> SocketAddr {
    let onward = Channel::from_shared(format!("http://{}", pairing.address)).unwrap().connect_lazy();
    let pass = service_fn(move |request: Request| {
        let onward = onward.clone();
        async move {
            let (parts, body) = request.into_parts();
            let answered = onward.oneshot(http::Request::from_parts(parts, Body::new(body))).await;
            Ok::<_, Infallible>(answered.unwrap_or_else(|error| Status::from_error(error.into()).into_http()))
        }
    });
    let routes: Routes = Routes::default().into_axum_router().fallback_service(pass).into();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(own.certificate, own.key))
        .client_ca_root(Certificate::from_pem(&authority.pem));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().tls_config(tls).unwrap().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// Files with certificates, as an operator lays them out.
struct Files(TempDir);

impl Files {
    fn new(authority: &Authority, own: &Signed) -> Self {
        let folder = TempDir::new().unwrap();
        authority.write(folder.path());
        own.write(folder.path());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn all(&self) -> TlsConfig {
        TlsConfig {
            ca_file: Some(self.path("ca.pem")),
            certificate_file: Some(self.path("tls.crt")),
            key_file: Some(self.path("tls.key")),
        }
    }
}

/// A gateway that reaches pairing by TLS, where it shows a certificate for a host.
async fn stage(authority: &Authority, host: &str, tls: TlsConfig) -> Stage {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let address = serve(&pairing, authority, authority.sign(&[host])).await;
    Stage::with(world, nats, pairing, |config| {
        config.upstreams = [("pairing".to_owned(), format!("https://localhost:{}", address.port()).into())].into();
        config.upstream_tls = tls;
    })
    .await
}

async fn name_of_county(stage: &Stage) -> Result<String, Status> {
    let request = stage.request("hq", PROVINCE, GetRegionRequest { code: COUNTY.to_owned() });
    let answer = PairingServiceClient::new(stage.channel()).get_region(request).await?;
    Ok(answer.into_inner().region.unwrap_or_default().name)
}

#[tokio::test]
async fn calls_and_events_come_by_tls() {
    let authority = Authority::new();
    let files = Files::new(&authority, &authority.sign(&["gateway"]));
    let stage = stage(&authority, "localhost", files.all()).await;
    assert_eq!(name_of_county(&stage).await.unwrap(), "阳山县");
    stage.pairing.state(&register()).await;
    stage.pairing.state(&activity(CITY, "2025-05-01")).await;
    stage.settle().await;
    assert_eq!(stage.figure(CITY, "2025-12-31", "joint_activities").await, 1);
    stage.stop().await;
}

#[tokio::test]
async fn nobody_is_spoken_to_whom_no_authority_of_ours_vouches_for() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let own = authority.sign(&["gateway"]);
    let (ours, strange) = (Files::new(&authority, &own), Files::new(&stranger, &own));
    let anonymous = TlsConfig { certificate_file: None, key_file: None, ..ours.all() };
    for (what, host, tls) in [
        ("signed by a stranger", "localhost", strange.all()),
        ("for another host", "elsewhere.example.com", ours.all()),
        ("asks for our certificate", "localhost", anonymous),
    ] {
        let stage = stage(&authority, host, tls).await;
        let status = name_of_county(&stage).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{what}: {status}");
        assert!(stage.pairing.seen.lock().unwrap().is_empty(), "{what}");
        stage.stop().await;
    }
}
