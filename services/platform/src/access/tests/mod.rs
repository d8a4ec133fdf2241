//! Valid tokens, and sources of keys.

mod claims;
mod keys;
mod kinds;
mod providers;
mod tokens;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::{Access, AccessConfig, Caller, Fault, IssuerConfig, KeySource, TokenRefused};
use crate::{
    clock::Clock,
    testing::{Lines, noon},
};

const ISSUER: &str = "https://people.example";

/// Signs any claims.
struct Signer {
    id: String,
    key: SigningKey,
}

impl Signer {
    fn new(id: &str, seed: u8) -> Self {
        Self { id: id.to_owned(), key: SigningKey::from_bytes(&[seed; 32]) }
    }

    fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x })
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.id })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let signature = self.key.sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn good(&self) -> String {
        self.sign(&self.header(), &claims())
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Claims of a valid token.
fn claims() -> Value {
    let now = noon().timestamp();
    json!({
        "iss": ISSUER,
        "aud": "tongxin",
        "sub": "zhang",
        "roles": ["county"],
        "region": "441823000000",
        "nbf": now - 5,
        "exp": now + 600,
    })
}

/// The claims of a valid token with one replaced, or removed by null.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    if claims[name].is_null() {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

/// Settings with the roles of a shop.
fn config_of(issuers: Vec<IssuerConfig>) -> AccessConfig {
    let roles = [
        ("hq", &["shop.order.read", "shop.order.approve", "shop.price.set", "history.load"][..]),
        ("county", &["shop.order.read", "shop.order.approve"]),
        ("village", &["shop.order.read"]),
        ("system", &["log.event.read"]),
    ];
    let roles = roles.map(|(role, may)| (role.to_owned(), may.iter().map(ToString::to_string).collect()));
    AccessConfig { issuers, roles: roles.into(), ..AccessConfig::default() }
}

fn access_by(keys: KeySource) -> Access {
    Access::new(config_of(vec![IssuerConfig::new(ISSUER, keys)]), Clock::fixed(noon())).unwrap()
}
