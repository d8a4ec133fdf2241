//! A self-signed certificate in the data folder, for TLS trials.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tongxin_platform::{grpc::ServerTlsConfig, whole_file};

use crate::{instance::write_private, lang::told};

/// Subject names.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The longest that browsers accept.
const LIFETIME: TimeDelta = TimeDelta::days(397);

/// One that expires sooner is replaced at the next start.
const STILL_GOOD_FOR: TimeDelta = TimeDelta::days(30);

pub struct Certificates {
    /// The CA that signed only this certificate: its key was discarded.
    pub ca_file: PathBuf,
    pub server: ServerTlsConfig,
}

impl Certificates {
    /// The certificate of a data folder, created if there is none that remains valid for a while.
    pub fn in_folder(data_dir: &Path, now: DateTime<Utc>) -> Result<Self> {
        let folder = data_dir.join("tls");
        let file = |name: &str| folder.join(name);
        let found = Self { ca_file: file("ca.pem"), server: ServerTlsConfig::new(file("tls.crt"), file("tls.key")) };
        if !found.ca_file.exists() || !found.server.faults(now + STILL_GOOD_FOR).is_empty() {
            fs::create_dir_all(&folder)
                .with_context(|| told!("cannot make the folder {}", "无法创建文件夹 {}", folder.display()))?;
            found.make(now)?;
        }
        Ok(found)
    }

    /// Writes the certificate last, and removes it first: if we are interrupted in between, the next start begins
    /// again.
    fn make(&self, now: DateTime<Utc>) -> Result<()> {
        let ServerTlsConfig { certificate_file, key_file, .. } = &self.server;
        match fs::remove_file(certificate_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| told!("cannot replace {}", "无法更换 {}", certificate_file.display()));
            }
            _ => {}
        }
        let (mut ca, ca_key) = (named("tongxin up, this machine alone", now)?, KeyPair::generate()?);
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);

        let (mut own, key) = (named(NAMES[0], now)?, KeyPair::generate()?);
        own.subject_alt_names = CertificateParams::new(NAMES.map(str::to_owned))?.subject_alt_names;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        own.use_authority_key_identifier_extension = true;
        let certificate = own.signed_by(&key, &issuer)?.pem();

        write_public(&self.ca_file, &ca_pem)?;
        write_private(key_file, key.serialize_pem().trim_end())?;
        write_public(certificate_file, &certificate)
    }
}

/// Valid from yesterday, because other clocks may be slow.
fn named(name: &str, now: DateTime<Utc>) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |time: DateTime<Utc>| -> Result<_> {
        Ok(date_time_ymd(time.year(), u8::try_from(time.month())?, u8::try_from(time.day())?))
    };
    params.not_before = day(now - TimeDelta::days(1))?;
    params.not_after = day(now + LIFETIME)?;
    Ok(params)
}

fn write_public(path: &Path, text: &str) -> Result<()> {
    whole_file::write(path, 0o644, text.as_bytes())
        .with_context(|| told!("cannot write {}", "无法写入 {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-01T04:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_certificate_is_kept_until_it_ends_soon_or_is_half_there() {
        let folder = tempfile::tempdir().unwrap();
        let made = |now| {
            let made = Certificates::in_folder(folder.path(), now).unwrap();
            let files = [&made.ca_file, &made.server.certificate_file, &made.server.key_file];
            files.map(|file| fs::read_to_string(file).unwrap())
        };
        let first = made(now());
        assert_eq!(made(now() + TimeDelta::days(360)), first);
        let next = made(now() + TimeDelta::days(370));
        assert!((0..3).all(|file| next[file] != first[file]), "{next:?}");
        fs::remove_file(folder.path().join("tls/tls.crt")).unwrap();
        assert_ne!(made(now() + TimeDelta::days(370)), next);
    }

    #[test]
    fn nobody_else_reads_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let made = Certificates::in_folder(folder.path(), now()).unwrap();
        let rights = fs::metadata(made.server.key_file).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("tls")).unwrap().count(), 3, "the key of the CA is kept nowhere");
    }
}
