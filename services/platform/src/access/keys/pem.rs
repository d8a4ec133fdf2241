//! A public key in PEM (RFC 7468): alone, or in a certificate.

use x509_parser::{
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
    },
    parse_x509_certificate,
    pem::Pem,
    prelude::FromDer as _,
    public_key::RSAPublicKey,
    x509::SubjectPublicKeyInfo,
};

use super::key::{PublicKey, Unusable};

/// Why a file has no usable key.
pub(super) enum Fault {
    /// It has no key.
    None,
    /// It has a private key, which only its owner should have.
    Private,
    Unusable(Unusable),
}

impl From<Unusable> for Fault {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(unusable)
    }
}

/// Reads the first public key of a file.
pub(super) fn read(pem: &[u8]) -> Result<PublicKey, Fault> {
    for part in Pem::iter_from_buffer(pem) {
        let Pem { label, contents } = part.map_err(|_| Fault::None)?;
        match label.as_str() {
            "PUBLIC KEY" => return Ok(of_any_kind(&whole(SubjectPublicKeyInfo::from_der(&contents))?)?),
            "RSA PUBLIC KEY" => return Ok(rsa(&whole(RSAPublicKey::from_der(&contents))?)?),
            "CERTIFICATE" => return Ok(of_any_kind(whole(parse_x509_certificate(&contents))?.public_key())?),
            private if private.ends_with("PRIVATE KEY") => return Err(Fault::Private),
            _ => {}
        }
    }
    Err(Fault::None)
}

/// The result of a parser, if it consumed everything.
fn whole<T, E>(read: Result<(&[u8], T), E>) -> Result<T, Unusable> {
    match read {
        Ok(([], all)) => Ok(all),
        Ok(_) | Err(_) => Err(Unusable::Broken),
    }
}

fn of_any_kind(key: &SubjectPublicKeyInfo<'_>) -> Result<PublicKey, Unusable> {
    let (kind, content) = (&key.algorithm.algorithm, &key.subject_public_key.data);
    if *kind == OID_SIG_ED25519 {
        return PublicKey::ed25519(content);
    }
    if *kind == OID_PKCS1_RSAENCRYPTION {
        return rsa(&whole(RSAPublicKey::from_der(content))?);
    }
    if *kind != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return Err(Unusable::Kind);
    }
    match key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()) {
        Some(curve) if curve == OID_EC_P256 => PublicKey::p256(content),
        Some(curve) if curve == OID_NIST_EC_P384 => PublicKey::p384(content),
        _ => Err(Unusable::Kind),
    }
}

fn rsa(key: &RSAPublicKey<'_>) -> Result<PublicKey, Unusable> {
    PublicKey::rsa(key.modulus, key.exponent)
}
