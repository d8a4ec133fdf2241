//! A public key, and the algorithms it may be used with.

use ed25519_dalek::VerifyingKey;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

/// Accepted sizes of RSA keys in bits: smaller ones are too weak (RFC 7518, 3.3), larger ones too slow.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Algorithms of RSA keys, unless the key names one of them.
const RSA: [Algorithm; 2] = [Algorithm::RS256, Algorithm::PS256];

/// Maximum size of an exponent, in bytes.
const EXPONENT_BYTES: usize = 4;

/// The algorithm of a name in a header or a key, if it is one of ours.
pub(in crate::access) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "PS256" => Some(Algorithm::PS256),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        // The second name says the curve, too (RFC 9864).
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// A sound key, and the algorithms that it may be used with.
#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    pub(super) key: DecodingKey,
    pub(super) algorithms: Vec<Algorithm>,
}

/// Why a key is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Symmetric, of another curve, or of an unknown kind.
    #[error("it is none of Ed25519, P-256, P-384 and RSA: have the issuer sign with one of these")]
    Kind,
    /// It is for another purpose.
    #[error("its use or key_ops says that it is not for checking signatures")]
    Purpose,
    /// It names an algorithm that is not accepted, or not of its kind.
    #[error(
        "its alg says that it is for another algorithm than RS256, PS256, ES256, ES384 and EdDSA, or not for its kind"
    )]
    Algorithm,
    /// Too weak or too slow.
    #[error("it is an RSA key of {0} bits: 2048 to 4096 are taken, so have the issuer make another one")]
    Bits(usize),
    /// It cannot be used at all.
    #[error("what it holds is no public key of its kind: get it from the issuer once more")]
    Broken,
}

impl PublicKey {
    /// An RSA key, from its modulus and exponent.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Unusable> {
        let (modulus, exponent) = (number(modulus), number(exponent));
        let [first, ..] = modulus else { return Err(Unusable::Broken) };
        let bits = modulus.len() * 8 - first.leading_zeros() as usize;
        if !RSA_BITS.contains(&bits) {
            return Err(Unusable::Bits(bits));
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] || exponent.len() > EXPONENT_BYTES {
            return Err(Unusable::Broken);
        }
        Ok(Self { key: DecodingKey::from_rsa_raw_components(modulus, exponent), algorithms: RSA.to_vec() })
    }

    /// A P-256 key, from its point.
    pub(super) fn p256(point: &[u8]) -> Result<Self, Unusable> {
        Self::of_curve(point, Algorithm::ES256)
    }

    /// A P-384 key, from its point.
    pub(super) fn p384(point: &[u8]) -> Result<Self, Unusable> {
        Self::of_curve(point, Algorithm::ES384)
    }

    fn of_curve(point: &[u8], algorithm: Algorithm) -> Result<Self, Unusable> {
        let key = DecodingKey::from_ec_der(point);
        // Fails for what is no point of the curve, before the signature is looked at.
        crypto::verify("", b"", &key, algorithm).map_err(|_| Unusable::Broken)?;
        Ok(Self { key, algorithms: vec![algorithm] })
    }

    /// An Ed25519 key. Later checks rely on its length.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, Unusable> {
        let whole = <&[u8; 32]>::try_from(bytes).map_err(|_| Unusable::Broken)?;
        let sound = VerifyingKey::from_bytes(whole).ok().filter(|key| !key.is_weak());
        sound.ok_or(Unusable::Broken)?;
        Ok(Self { key: DecodingKey::from_ed_der(whole), algorithms: vec![Algorithm::EdDSA] })
    }

    /// The same key for the one algorithm that it names.
    pub(super) fn only(mut self, stated: &str) -> Result<Self, Unusable> {
        let stated = algorithm(stated).ok_or(Unusable::Algorithm)?;
        self.algorithms.retain(|algorithm| *algorithm == stated);
        if self.algorithms.is_empty() { Err(Unusable::Algorithm) } else { Ok(self) }
    }
}

/// Without leading zeros.
fn number(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}
