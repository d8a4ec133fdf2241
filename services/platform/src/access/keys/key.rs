//! A public key, and the tokens that it may check.

use ed25519_dalek::VerifyingKey;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

/// Bits of RSA keys that are taken: fewer are too weak (RFC 7518, 3.3), more are not worth the time of a check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// What RSA keys are for, unless one says which of these.
const RSA: [Algorithm; 2] = [Algorithm::RS256, Algorithm::PS256];

/// Exponents that are taken have so many bytes at most.
const EXPONENT_BYTES: usize = 4;

/// The algorithm by its name in a header or in a key, if it is one of ours.
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

/// A key that was found sound, and the algorithms that it may be used with.
#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    pub(super) key: DecodingKey,
    pub(super) algorithms: Vec<Algorithm>,
}

/// Why a key is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Symmetric, of another curve, or of a kind that nobody knew when this was written.
    #[error("it is none of Ed25519, P-256, P-384 and RSA: have the issuer sign with one of these")]
    Kind,
    /// It is for something else.
    #[error("its use or key_ops says that it is not for checking signatures")]
    Purpose,
    /// It says that it is for an algorithm that is not taken, or not one of its kind.
    #[error(
        "its alg says that it is for another algorithm than RS256, PS256, ES256, ES384 and EdDSA, or not for its kind"
    )]
    Algorithm,
    /// Too weak or too slow.
    #[error("it is an RSA key of {0} bits: 2048 to 4096 are taken, so have the issuer make another one")]
    Bits(usize),
    /// Nothing can be checked with it.
    #[error("what it holds is no public key of its kind: get it from the issuer once more")]
    Broken,
}

impl PublicKey {
    /// Of RSA, by its modulus and exponent.
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

    /// Of P-256, by its point.
    pub(super) fn p256(point: &[u8]) -> Result<Self, Unusable> {
        Self::of_curve(point, Algorithm::ES256)
    }

    /// Of P-384, by its point.
    pub(super) fn p384(point: &[u8]) -> Result<Self, Unusable> {
        Self::of_curve(point, Algorithm::ES384)
    }

    fn of_curve(point: &[u8], algorithm: Algorithm) -> Result<Self, Unusable> {
        let key = DecodingKey::from_ec_der(point);
        // Fails for what is no point of the curve, before it looks at a signature.
        crypto::verify("", b"", &key, algorithm).map_err(|_| Unusable::Broken)?;
        Ok(Self { key, algorithms: vec![algorithm] })
    }

    /// Of Ed25519. Whoever checks with it later takes its length for granted.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, Unusable> {
        let whole = <&[u8; 32]>::try_from(bytes).map_err(|_| Unusable::Broken)?;
        let sound = VerifyingKey::from_bytes(whole).ok().filter(|key| !key.is_weak());
        sound.ok_or(Unusable::Broken)?;
        Ok(Self { key: DecodingKey::from_ed_der(whole), algorithms: vec![Algorithm::EdDSA] })
    }

    /// The same key for the one algorithm that it says it is for.
    pub(super) fn only(mut self, stated: &str) -> Result<Self, Unusable> {
        let stated = algorithm(stated).ok_or(Unusable::Algorithm)?;
        self.algorithms.retain(|algorithm| *algorithm == stated);
        if self.algorithms.is_empty() { Err(Unusable::Algorithm) } else { Ok(self) }
    }
}

/// Without zeros before it.
fn number(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}
