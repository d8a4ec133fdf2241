//! Why a gateway cannot be reached, as far as TLS is in the way.

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

use crate::place::Place;

/// How long we look what an address speaks.
const LOOK: Duration = Duration::from_secs(2);

/// Bytes of a record of TLS that begin a handshake, or say why there is none.
const SPEAKS_TLS: [u8; 2] = [0x15, 0x16];

/// What TLS found wrong, or that there should be some.
pub fn explain(status: &Status, place: &Place) -> Option<anyhow::Error> {
    let address = &place.address;
    if let Some(fault) = fault(status) {
        return Some(anyhow!("{}", sentence(fault, place)));
    }
    let (_, rest) = address.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))?;
    // Who answered has something else against the call.
    let broke = status.source().is_some();
    (broke && speaks_tls(address)).then(|| anyhow!("the gateway at {address} speaks TLS: call it at https://{rest}"))
}

/// Whether it is no use to try again.
pub fn is_for_good(status: &Status) -> bool {
    matches!(fault(status), Some(rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_)))
}

/// The error of TLS that a call failed by.
fn fault(status: &Status) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn Error + 'static)> = status.source();
    while let Some(error) = next {
        // It stands within an error of I/O, which names as its source that of what it holds.
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
        rustls::Error::InvalidMessage(_) => {
            format!("the gateway at {address} speaks no TLS there: is its address one that begins with http://?")
        }
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            format!("{address} speaks TLS, but not HTTP/2: is a gateway there, or a proxy that passes gRPC on?")
        }
        fault => format!("the TLS handshake with the gateway at {address} failed: {fault}"),
    }
}

/// Why we do not trust a certificate, and what to do.
fn refused(fault: &CertificateError, place: &Place) -> String {
    let Place { address, ca_file } = place;
    let certificate = format!("the certificate of the gateway at {address}");
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("{certificate} has expired on {}: whoever runs it has to renew it", moment(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("{certificate} is not valid before {}: is the clock of this machine right?", moment(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let names =
                if names.is_empty() { "for no name at all".to_owned() } else { format!("for {}", names.join(", ")) };
            format!("{certificate} is not for {}, but {names}: call it by a name that it has", expected.to_str())
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match ca_file {
            Some(file) => format!(
                "{certificate} is not signed by a CA in {}: --ca-file has to name the one that signed it",
                file.display()
            ),
            None => format!(
                "{certificate} is not signed by a CA that this machine trusts: --ca-file names the one that signed it, \
                 if it is a private one"
            ),
        },
        fault => format!("{certificate} is refused: {fault}"),
    }
}

/// `DnsName("gateway.example")` without what is around it.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn moment(time: UnixTime) -> String {
    let moment = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    moment.map(local_time).unwrap_or_default()
}

/// Whether whoever listens at an address answers the first words of TLS in TLS.
fn speaks_tls(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let Some(host) = uri.host().map(|host| host.trim_start_matches('[').trim_end_matches(']')) else { return false };
    greeted(host, uri.port_u16().unwrap_or(80)).is_some_and(|byte| SPEAKS_TLS.contains(&byte))
}

/// The first byte that somebody answers who is greeted in TLS.
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
