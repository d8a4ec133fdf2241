//! A JSON Web Key (RFC 7517).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::key::{PublicKey, Unusable};

/// The fields of a JWK that are used here.
#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Symmetric keys are rejected: their holders could also sign tokens. So are curves without an algorithm of ours, and
/// keys for other purposes.
pub(super) fn read(key: Value) -> Result<PublicKey, Unusable> {
    let jwk: Jwk = serde_json::from_value(key).map_err(|_| Unusable::Broken)?;
    let checks = |operations: &Vec<String>| operations.iter().any(|operation| operation == "verify");
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig")
        || jwk.key_ops.as_ref().is_some_and(|all| !checks(all))
    {
        return Err(Unusable::Purpose);
    }
    let key = jwk.key()?;
    match &jwk.alg {
        Some(stated) => key.only(stated),
        None => Ok(key),
    }
}

impl Jwk {
    fn key(&self) -> Result<PublicKey, Unusable> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::rsa(&bytes(self.n.as_ref())?, &bytes(self.e.as_ref())?),
            ("EC", Some("P-256")) => PublicKey::p256(&self.point()?),
            ("EC", Some("P-384")) => PublicKey::p384(&self.point()?),
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes(self.x.as_ref())?),
            _ => Err(Unusable::Kind),
        }
    }

    /// Both coordinates, each in full (SEC 1, 2.3.3).
    fn point(&self) -> Result<Vec<u8>, Unusable> {
        let (x, y) = (bytes(self.x.as_ref())?, bytes(self.y.as_ref())?);
        if x.len() == y.len() { Ok([&[4], x.as_slice(), &y].concat()) } else { Err(Unusable::Broken) }
    }
}

fn bytes(stated: Option<&String>) -> Result<Vec<u8>, Unusable> {
    stated.and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).ok_or(Unusable::Broken)
}
