//! Public keys in their forms: PEM (RFC 7468), JSON Web Key and sets of them (RFC 7517).

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde_json::Value;

use super::KeyError;

/// A public key and the algorithms that it may be used with.
#[derive(Clone)]
pub(in crate::access) struct PublicKey {
    pub key: DecodingKey,
    pub algorithms: Vec<Algorithm>,
}

/// The keys of an issuer.
pub(super) enum KeySet {
    /// One without a name: every token is checked with it.
    Nameless(PublicKey),
    /// By their identifiers.
    Named(HashMap<Option<String>, PublicKey>),
}

impl KeySet {
    /// The key that a token names. One that names none is checked with the only key that there is.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&PublicKey> {
        match self {
            Self::Nameless(key) => Some(key),
            Self::Named(keys) => match keys.get(&id.map(str::to_owned)) {
                None if id.is_none() && keys.len() == 1 => keys.values().next(),
                found => found,
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nameless(_) => 1,
            Self::Named(keys) => keys.len(),
        }
    }

    /// Reads a PEM file with one public key.
    pub(super) fn of_pem(pem: &[u8]) -> Option<Self> {
        let curve = if names(pem, &P384) { Algorithm::ES384 } else { Algorithm::ES256 };
        let is_known_curve = names(pem, &P256) || names(pem, &P384);
        let tries = [
            (DecodingKey::from_ed_pem(pem).ok(), vec![Algorithm::EdDSA]),
            (DecodingKey::from_ec_pem(pem).ok().filter(|_| is_known_curve), vec![curve]),
            (DecodingKey::from_rsa_pem(pem).ok(), RSA.to_vec()),
        ];
        tries.into_iter().find_map(|(key, algorithms)| Some(Self::Nameless(PublicKey { key: key?, algorithms })))
    }

    /// Reads a JSON Web Key Set, or a single JSON Web Key. Keys that we have no use for are left out (RFC 7517, 5), so there may be
    /// none: an issuer may withdraw all.
    pub(super) fn of_json(json: &[u8]) -> Result<Self, KeyError> {
        let Value::Object(mut stated) = serde_json::from_slice(json)? else { return Err(KeyError::NoSet) };
        let keys = match stated.remove("keys") {
            Some(Value::Array(keys)) => keys,
            None if stated.contains_key("kty") => vec![Value::Object(stated)],
            _ => return Err(KeyError::NoSet),
        };
        let usable = |key: Value| {
            let key: Jwk = serde_json::from_value(key).ok()?;
            Some((key.common.key_id.clone(), usable(&key)?))
        };
        Ok(Self::Named(keys.into_iter().filter_map(usable).collect()))
    }
}

/// What RSA keys are for, unless one says which of these.
const RSA: [Algorithm; 2] = [Algorithm::RS256, Algorithm::PS256];

/// Symmetric keys are not usable: whoever checks such a token could also sign one. Nor are curves of which no
/// algorithm of ours is, nor keys that are for something else.
fn usable(jwk: &Jwk) -> Option<PublicKey> {
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => RSA.to_vec(),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
        _ => return None,
    };
    if let Some(stated) = &jwk.common.key_algorithm {
        let stated = Algorithm::try_from(*stated).ok()?;
        algorithms.retain(|algorithm| *algorithm == stated);
    }
    let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (is_for_signatures && !algorithms.is_empty()).then_some(PublicKey { key, algorithms })
}

/// Names of curves in DER.
const P256: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: [u8; 7] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];

/// Whether a PEM file names a curve.
fn names(pem: &[u8], curve: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    let content: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(content).is_ok_and(|key| key.windows(curve.len()).any(|part| part == curve))
}
