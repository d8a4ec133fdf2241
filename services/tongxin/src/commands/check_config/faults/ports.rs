//! Faults of the servers' limits and certificates.

use std::collections::HashSet;

use tongxin_platform::{
    clock::Clock,
    error::chain,
    grpc::{GrpcConfig, ServerTlsConfig},
};

use crate::lang::told;

pub(super) fn port_faults(section: &str, grpc: &GrpcConfig, roles: &HashSet<String>, faults: &mut Vec<String>) {
    share_faults(section, grpc, roles, faults);
    tls_faults(&format!("{section}.grpc.tls"), grpc.tls.as_ref(), faults);
}

/// Shares are for roles and for subjects, whose names contain their issuer.
fn share_faults(section: &str, grpc: &GrpcConfig, roles: &HashSet<String>, faults: &mut Vec<String>) {
    for name in grpc.shares.keys().filter(|name| !name.contains('|') && !roles.contains(*name)) {
        faults.push(told!(
            "{section}.grpc.shares.{name}: access.roles has no such role; a subject is named `issuer|subject`",
            "{section}.grpc.shares.{name}：access.roles 中没有这个角色；人员要写作 `issuer|subject`"
        ));
    }
}

fn tls_faults(section: &str, tls: Option<&ServerTlsConfig>, faults: &mut Vec<String>) {
    let found = tls.map(|tls| tls.faults(Clock::system().now())).unwrap_or_default();
    faults.extend(found.iter().map(|fault| format!("{section}.{}", chain(fault))));
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    #[test]
    fn a_port_that_speaks_tls_needs_a_certificate_that_is_good_and_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let faults = |section: &str, tls: &str| {
            faults(&format!(
                "token_file = 't'
                 [{section}.grpc.tls]
                 {tls}
                 [{section}.database]
                 url = 'postgres://a@b/c'"
            ))
        };
        let at = |name: &str| folder.path().join(name).display().to_string();
        let sign = |name: &str, until: i32| {
            let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            std::fs::write(at(&format!("{name}.crt")), params.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(at(&format!("{name}.key")), key.serialize_pem()).unwrap();
        };
        sign("good", 2999);
        sign("expired", 2020);
        let pair = |certificate: &str, key: &str| {
            format!("certificate_file = '{}'\nkey_file = '{}'", at(certificate), at(key))
        };
        assert_eq!(faults("gateway", &pair("good.crt", "good.key")), [""; 0]);
        for (certificate, key, expected) in [
            ("expired.crt", "expired.key", &["certificate_file: the certificate for expired in "][..]),
            ("good.crt", "expired.key", &["key_file: the key in "]),
            ("good.key", "good.key", &["certificate_file: "]),
            ("no.crt", "no.key", &["certificate_file: cannot read ", "key_file: cannot read "]),
        ] {
            let found = faults("gateway", &pair(certificate, key));
            assert_eq!(found.len(), expected.len(), "{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(&format!("gateway.grpc.tls.{expected}")), "{found}");
            }
        }
        let half = faults("gateway", "certificate_file = 'x'");
        assert!(half[0].starts_with("gateway: ") && half[0].contains("key_file"), "{half:#?}");
        let of_pairing = faults("pairing", &pair("no.crt", "good.key"));
        assert!(
            of_pairing.iter().any(|fault| fault.starts_with("pairing.grpc.tls.certificate_file: ")),
            "{of_pairing:#?}"
        );
    }

    #[test]
    fn a_port_serves_something() {
        let tls = "[gateway.grpc.tls]\ncertificate_file = '/nowhere'\nkey_file = '/nowhere'";
        for (setting, told) in [
            ("[gateway.grpc]\ntimeout_seconds = 0", "grpc.timeout_seconds is 0: it has to be from 1"),
            ("[gateway.grpc]\nmax_requests = 0", "grpc.max_requests is 0: it has to be from 1"),
            (&format!("{tls}\nhandshake_seconds = 0"), "grpc.tls.handshake_seconds is 0: it has to be from 1"),
        ] {
            let found = faults(&format!("token_file = 't'\n{setting}\n[gateway.database]\nurl = 'postgres://a@b/c'"));
            let [fault] = found.as_slice() else { panic!("{setting}: {found:#?}") };
            assert!(fault.starts_with("gateway: ") && fault.contains(told), "{fault}");
        }
    }

    #[test]
    fn pages_come_from_origins_as_browsers_write_them() {
        for origin in ["https://Board.example", "https://board.example:443", "board.example"] {
            let found = faults(&format!(
                "token_file = 't'\n[gateway]\ncors_origins = ['{origin}']\n[gateway.database]\nurl = 'postgres://a@b/c'"
            ));
            let [fault] = found.as_slice() else { panic!("{origin}: {found:#?}") };
            assert!(fault.starts_with("gateway: ") && fault.contains("is no origin"), "{fault}");
        }
    }
}
