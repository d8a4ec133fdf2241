//! Explains TLS problems when a gateway is unreachable.

use std::{
    error::Error,
    io::{self, Read as _},
    net::{TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use anyhow::anyhow;
use chrono::DateTime;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{ServerName, UnixTime},
};
use tongxin_platform::clock::local_time;
use tonic::{Status, codegen::http::Uri};

use crate::{lang::told, place::Place};

/// How long to probe an address.
const LOOK: Duration = Duration::from_secs(2);

/// Types of TLS records: alert and handshake.
const SPEAKS_TLS: [u8; 2] = [0x15, 0x16];

/// Explains a TLS error, or that the gateway requires TLS.
pub fn explain(status: &Status, place: &Place) -> Option<anyhow::Error> {
    let address = &place.address;
    if let Some(fault) = fault(status) {
        return Some(anyhow!("{}", sentence(fault, place)));
    }
    let (_, rest) = address.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))?;
    // Without a source, a server responded, so the error is not about the connection.
    let broke = status.source().is_some();
    (broke && speaks_tls(address)).then(|| {
        anyhow!(told!(
            "the gateway at {address} speaks TLS: call it at https://{rest}",
            "网关 {address} 使用 TLS：请改用 https://{rest}"
        ))
    })
}

/// Whether a retry is pointless.
pub fn is_for_good(status: &Status) -> bool {
    matches!(fault(status), Some(rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_)))
}

/// The TLS error that made a call fail.
fn fault(status: &Status) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn Error + 'static)> = status.source();
    while let Some(error) = next {
        // It is inside an I/O error, whose `source` skips it.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(fault) = held.and_then(|held| held.downcast_ref()).or_else(|| error.downcast_ref()) {
            return Some(fault);
        }
        next = error.source();
    }
    None
}

fn sentence(fault: &rustls::Error, place: &Place) -> String {
    let address = &place.address;
    match fault {
        rustls::Error::InvalidCertificate(fault) => refused(fault, place),
        rustls::Error::InvalidMessage(_) => told!(
            "the gateway at {address} speaks no TLS there: is its address one that begins with http://?",
            "网关 {address} 没有使用 TLS：地址是否应以 http:// 开头？"
        ),
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => told!(
            "{address} speaks TLS, but not HTTP/2: is a gateway there, or a proxy that passes gRPC on?",
            "{address} 使用 TLS，但不支持 HTTP/2：那里是网关，或能转发 gRPC 的代理吗？"
        ),
        fault => told!(
            "the TLS handshake with the gateway at {address} failed: {fault}",
            "与网关 {address} 的 TLS 握手失败：{fault}"
        ),
    }
}

/// Why a certificate is not trusted, and what to do.
fn refused(fault: &CertificateError, place: &Place) -> String {
    let Place { address, ca_file } = place;
    let certificate = told!("the certificate of the gateway at {address}", "网关 {address} 的证书");
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => told!(
            "{certificate} has expired on {}: whoever runs it has to renew it",
            "{certificate}已于 {} 过期：请网关的运维人员更换",
            moment(*not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => told!(
            "{certificate} is not valid before {}: is the clock of this machine right?",
            "{certificate}到 {} 才生效：本机的时钟对吗？",
            moment(*not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() {
                told!("for no name at all", "证书上没有任何名称")
            } else {
                told!("for {}", "而是给 {} 的", names.join(", "))
            };
            told!(
                "{certificate} is not for {}, but {names}: call it by a name that it has",
                "{certificate}不是给 {} 的，{names}：请改用证书上的名称连接",
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match ca_file {
            Some(file) => told!(
                "{certificate} is not signed by a CA in {}: --ca-file has to name the one that signed it",
                "{certificate}不是由 {} 中的 CA 签发的：--ca-file 要指明签发它的 CA",
                file.display()
            ),
            None => told!(
                "{certificate} is not signed by a CA that this machine trusts: --ca-file names the one that signed it, \
                 if it is a private one",
                "{certificate}不是由本机信任的 CA 签发的：CA 若是自建的，请用 --ca-file 指明"
            ),
        },
        fault => told!("{certificate} is refused: {fault}", "{certificate}不被接受：{fault}"),
    }
}

/// Removes the wrapper of `DnsName("gateway.example")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn moment(time: UnixTime) -> String {
    let moment = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    moment.map(local_time).unwrap_or_default()
}

/// Whether the server at an address responds to a TLS handshake with TLS.
fn speaks_tls(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let Some(host) = uri.host().map(|host| host.trim_start_matches('[').trim_end_matches(']')) else { return false };
    greeted(host, uri.port_u16().unwrap_or(80)).is_some_and(|byte| SPEAKS_TLS.contains(&byte))
}

/// The first byte of the response to a TLS handshake.
fn greeted(host: &str, port: u16) -> Option<u8> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut greeting = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned()).ok()?).ok()?;
    let mut stream = (host, port).to_socket_addrs().ok()?.find_map(|at| TcpStream::connect_timeout(&at, LOOK).ok())?;
    stream.set_read_timeout(Some(LOOK)).ok()?;
    stream.set_write_timeout(Some(LOOK)).ok()?;
    greeting.write_tls(&mut stream).ok()?;
    let mut first = [0];
    stream.read_exact(&mut first).ok()?;
    Some(first[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_certificate_says_what_to_do() {
        let place = |ca_file: Option<&str>| Place {
            address: "https://gateway.example".to_owned(),
            ca_file: ca_file.map(Into::into),
        };
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for (fault, ca_file, parts) in [
            (
                CertificateError::ExpiredContext { time: time(86_400), not_after: time(0) },
                None,
                &["has expired on 1970-01-01 08:00:00", "renew"][..],
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: ServerName::try_from("gateway.example").unwrap(),
                    presented: vec!["DnsName(\"other.example\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()],
                },
                None,
                &["is not for gateway.example, but for other.example, 127.0.0.1:"],
            ),
            (CertificateError::UnknownIssuer, None, &["this machine trusts", "--ca-file"]),
            (CertificateError::UnknownIssuer, Some("own.pem"), &["by a CA in own.pem", "--ca-file"]),
        ] {
            let said = sentence(&rustls::Error::InvalidCertificate(fault), &place(ca_file));
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
    }

    #[test]
    fn a_fault_is_found_within_what_a_call_failed_by() {
        let fault = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let failed = Status::from_error(Box::new(io::Error::new(io::ErrorKind::InvalidData, fault)));
        assert!(super::fault(&failed).is_some() && is_for_good(&failed), "{failed:?}");
        assert!(!is_for_good(&Status::unavailable("a moment ago")));
    }
}
