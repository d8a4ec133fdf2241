//! The contents of a certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::warn;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

use crate::clock::local_time;

/// Long enough to get another one.
const SOON: TimeDelta = TimeDelta::days(14);

/// The names of a certificate, and its validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    names: Vec<String>,
    pub(super) not_before: DateTime<Utc>,
    pub(super) not_after: DateTime<Utc>,
}

/// Whether a certificate is valid at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Early,
    Good,
    EndsSoon,
    Expired,
}

impl Certificate {
    /// Reads the first certificate of a chain in DER, which is valid as long as all of the chain; `None` if one of them
    /// cannot be parsed.
    pub(super) fn of_chain<'der>(chain: impl IntoIterator<Item = &'der [u8]>) -> Option<Self> {
        let mut chain = chain.into_iter().map(Self::read);
        let mut own = chain.next()??;
        for authority in chain {
            let authority = authority?;
            own.not_before = own.not_before.max(authority.not_before);
            own.not_after = own.not_after.min(authority.not_after);
        }
        Some(own)
    }

    /// Parses one in DER; `None` if it is no certificate.
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            names: names(&certificate),
            not_before: DateTime::from_timestamp(validity.not_before.timestamp(), 0)?,
            not_after: DateTime::from_timestamp(validity.not_after.timestamp(), 0)?,
        })
    }

    /// Its names, in one line.
    pub(super) fn names(&self) -> String {
        if self.names.is_empty() { "no subjectAltName".to_owned() } else { self.names.join(", ") }
    }

    pub(super) fn standing(&self, now: DateTime<Utc>) -> Standing {
        if now > self.not_after {
            Standing::Expired
        } else if now < self.not_before {
            Standing::Early
        } else if now > self.not_after - SOON {
            Standing::EndsSoon
        } else {
            Standing::Good
        }
    }

    /// Logs what an operator has to do about it.
    pub(super) fn warn(&self, now: DateTime<Utc>) {
        self.warn_of_time(now);
        if self.names.is_empty() {
            warn!("the certificate of the port has no subjectAltName: clients refuse it, whatever its subject is");
        }
    }

    /// The same for its validity alone.
    pub(super) fn warn_of_time(&self, now: DateTime<Utc>) {
        let (names, from, until) = (self.names(), local_time(self.not_before), local_time(self.not_after));
        match self.standing(now) {
            Standing::Good => {}
            Standing::Expired => {
                warn!(names, until, "the certificate of the port has expired: clients refuse it, renew it");
            }
            Standing::Early => {
                warn!(names, from, "the certificate of the port is not valid yet: clients refuse it until then");
            }
            Standing::EndsSoon => warn!(names, until, "the certificate of the port expires soon: renew it"),
        }
    }
}

/// The names that clients check; the subject is none of them.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    names.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::Arc};

    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    use super::*;
    use crate::testing::certificates::{Authority, Signed};

    fn day(text: &str) -> DateTime<Utc> {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    fn read(signed: &Signed) -> Certificate {
        chain(&[signed]).unwrap()
    }

    fn chain(signed: &[&Signed]) -> Option<Certificate> {
        let der = |one: &&Signed| CertificateDer::from_pem_slice(one.certificate.as_bytes()).unwrap();
        let chain: Vec<_> = signed.iter().map(der).collect();
        Certificate::of_chain(chain.iter().map(AsRef::as_ref))
    }

    /// What is logged about one at a moment.
    fn warned(certificate: &Certificate, now: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(File::create(&path).unwrap()));
        tracing::subscriber::with_default(lines.finish(), || certificate.warn(day(now)));
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_log_warns_of_a_certificate_that_clients_refuse_or_soon_will() {
        let certificate = read(&Authority::new().sign_for_days(&["gateway.example"], (2026, 1, 1), (2026, 3, 1)));
        for (now, part) in
            [("2025-12-31", "is not valid yet"), ("2026-02-20", "expires soon"), ("2026-03-02", "has expired")]
        {
            let said = warned(&certificate, now);
            assert!(said.contains("WARN") && said.contains("gateway.example") && said.contains(part), "{said}");
        }
        assert_eq!(warned(&certificate, "2026-02-01"), "");
        let nameless = read(&Authority::new().sign_for_days(&[], (2026, 1, 1), (2026, 3, 1)));
        assert!(warned(&nameless, "2026-02-01").contains("has no subjectAltName: clients refuse it"));
        assert!(warned(&nameless, "2026-03-02").contains("names=\"no subjectAltName\""));
    }

    #[test]
    fn a_certificate_says_whom_it_is_for_and_when() {
        let names = ["gateway.example", "127.0.0.1", "::1"];
        let certificate = read(&Authority::new().sign_for_days(&names, (2026, 1, 1), (2026, 3, 1)));
        assert_eq!(certificate.names(), "gateway.example, 127.0.0.1, ::1");
        for (now, standing) in [
            ("2025-12-31", Standing::Early),
            ("2026-01-02", Standing::Good),
            ("2026-02-14", Standing::Good),
            ("2026-02-16", Standing::EndsSoon),
            ("2026-03-02", Standing::Expired),
        ] {
            assert_eq!(certificate.standing(day(now)), standing, "{now}");
        }
        assert_eq!(Certificate::of_chain([b"none".as_slice()]), None);
        assert_eq!(Certificate::of_chain([]), None);
    }

    #[test]
    fn a_chain_is_good_as_long_as_all_of_it() {
        let authority = Authority::new();
        let own = authority.sign_for_days(&["gateway.example"], (2026, 1, 1), (2026, 12, 1));
        let between = authority.sign_for_days(&["authority"], (2026, 2, 1), (2026, 3, 1));
        let certificate = chain(&[&own, &between]).unwrap();
        assert_eq!((certificate.not_before, certificate.not_after), (day("2026-02-01"), day("2026-03-01")));
        assert_eq!(certificate.names(), "gateway.example");
    }
}
