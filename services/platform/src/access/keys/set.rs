//! The keys of an issuer, and which of them may have signed a token.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::{
    KeyError, jwk,
    key::{PublicKey, Unusable},
};

/// Maximum number of keys that a token is tried with.
const TRIED: usize = 8;

/// The keys of an issuer, at least one of them usable.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// An unusable key is kept: a token that names it is distinguished from one with an unknown key.
    key: Result<PublicKey, Unusable>,
}

/// The result of a look-up.
#[derive(Debug)]
pub(super) enum Match {
    /// Keys that may have signed it.
    Keys(Vec<DecodingKey>),
    /// The key that it names is not for its algorithm; in words.
    NotFor(String),
}

impl KeySet {
    /// One key without a name, which checks every token.
    pub(super) fn of_one(key: PublicKey) -> Self {
        Self(vec![Key { id: None, key: Ok(key) }])
    }

    /// Parses a JSON Web Key Set, or a single JSON Web Key. Unusable keys are skipped (RFC 7517, 5), unless all are.
    pub(super) fn of_json(json: &[u8]) -> Result<Self, KeyError> {
        let Value::Object(mut stated) = serde_json::from_slice(json)? else { return Err(KeyError::NoSet) };
        let keys = match stated.remove("keys") {
            Some(Value::Array(keys)) => keys,
            None if stated.contains_key("kty") => vec![Value::Object(stated)],
            _ => return Err(KeyError::NoSet),
        };
        let key = |stated: Value| {
            let id = stated.get("kid").and_then(Value::as_str).map(str::to_owned);
            Key { id, key: jwk::read(stated) }
        };
        let keys: Vec<_> = keys.into_iter().map(key).collect();
        if keys.iter().any(|key| key.key.is_ok()) {
            return Ok(Self(keys));
        }
        let why = keys.into_iter().find_map(|key| key.key.err());
        Err(why.map_or(KeyError::Empty, KeyError::NoneOfUse))
    }

    /// Number of usable keys.
    pub(super) fn len(&self) -> usize {
        self.usable().count()
    }

    fn usable(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(|key| key.key.is_ok())
    }

    /// The keys for a token with a key identifier, or none, and an algorithm; `None` if it names a key that the set
    /// does not have.
    ///
    /// Keys may share an identifier (RFC 7517, 4.5) or have none, and one without may be any. A token that names none
    /// means the only key, or those without a name.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Match> {
        let named: Vec<_> = self.0.iter().filter(|key| id.is_some() && key.id.as_deref() == id).collect();
        let only = self.usable().filter(|key| key.id.is_some() && id.is_none() && self.len() == 1);
        let nameless = self.usable().filter(|key| key.id.is_none());
        let is_meant =
            !named.is_empty() || self.usable().all(|key| key.id.is_none()) || (id.is_none() && self.len() == 1);
        let meant: Vec<_> = named.into_iter().chain(nameless).chain(only).collect();
        let fitting =
            meant.iter().filter_map(|key| key.key.as_ref().ok()).filter(|key| key.algorithms.contains(&algorithm));
        let keys: Vec<_> = fitting.map(|key| key.key.clone()).take(TRIED).collect();
        if !keys.is_empty() {
            return Some(Match::Keys(keys));
        }
        is_meant.then(|| Match::NotFor(not_for(&meant)))
    }
}

fn not_for(meant: &[&Key]) -> String {
    match meant.iter().find_map(|key| key.key.as_ref().err()) {
        Some(why) => format!("the key with its kid is not used: {why}"),
        None => "its alg is not one of the key's".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The point of Ed25519 that every implementation begins with.
    const X: &str = "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY";

    fn set(keys: &Value) -> Result<KeySet, KeyError> {
        KeySet::of_json(json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn a_set_without_a_key_of_use_is_none() {
        assert!(matches!(set(&json!([])), Err(KeyError::Empty)));
        let not_used = [
            json!({ "kty": "oct", "k": "AAAA" }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "use": "enc" }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "key_ops": ["encrypt"] }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "alg": "RS256" }),
            json!({ "kty": "OKP", "crv": "Ed448", "x": X }),
            // Not a point that keys lie on.
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
            json!({ "kty": "EC", "crv": "P-256", "x": X, "y": X }),
            json!({ "kty": "EC", "crv": "P-256", "x": X }),
            json!({ "kty": 7 }),
            json!(7),
        ];
        for key in not_used {
            assert!(matches!(set(&json!([key])), Err(KeyError::NoneOfUse(_))), "{key}");
            let with_another = json!([key, { "kty": "OKP", "crv": "Ed25519", "x": X }]);
            assert_eq!(set(&with_another).unwrap().len(), 1, "{key}");
        }
    }

    #[test]
    fn an_ed25519_key_has_32_bytes() {
        for bytes in [0, 1, 31, 33, 64] {
            let x = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, vec![0x66; bytes]);
            let refused = set(&json!([{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x }])).unwrap_err();
            assert!(matches!(refused, KeyError::NoneOfUse(Unusable::Broken)), "{bytes}: {refused:?}");
        }
    }

    #[test]
    fn rsa_keys_have_2048_to_4096_bits_and_an_odd_exponent() {
        let key = |bits: usize, exponent: &[u8]| {
            let mut modulus = vec![0xFF; bits.div_ceil(8)];
            modulus[0] >>= (8 - bits % 8) % 8;
            PublicKey::rsa(&[&[0], modulus.as_slice()].concat(), exponent).map(|key| key.algorithms.len())
        };
        for bits in [2048, 3072, 4096] {
            assert_eq!(key(bits, &[1, 0, 1]), Ok(2), "{bits}");
        }
        for bits in [1, 1024, 2047, 4097, 16_384] {
            assert_eq!(key(bits, &[1, 0, 1]), Err(Unusable::Bits(bits)));
        }
        for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0, 0, 1]] {
            assert_eq!(key(2048, exponent), Err(Unusable::Broken), "{exponent:?}");
        }
    }

    #[test]
    fn keys_are_found_by_name_and_algorithm_and_one_without_a_name_may_be_any() {
        let key = |id: Option<&str>| json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": id });
        let found = |keys: &Value, id: Option<&str>, algorithm: Algorithm| match set(keys).unwrap().find(id, algorithm)
        {
            None => "none".to_owned(),
            Some(Match::Keys(keys)) => keys.len().to_string(),
            Some(Match::NotFor(why)) => why,
        };
        let ed = Algorithm::EdDSA;
        for (keys, id, expected) in [
            (json!([key(Some("a"))]), Some("a"), "1"),
            (json!([key(Some("a"))]), Some("b"), "none"),
            (json!([key(Some("a"))]), None, "1"),
            (json!([key(Some("a")), key(Some("b"))]), None, "none"),
            (json!([key(Some("a")), key(Some("a"))]), Some("a"), "2"),
            (json!([key(None)]), Some("a"), "1"),
            (json!([key(None)]), None, "1"),
            (json!([key(None), key(None)]), None, "2"),
            (json!([key(None), key(Some("a"))]), None, "1"),
            (json!([key(None), key(Some("a"))]), Some("a"), "2"),
            (json!([key(None), key(Some("a"))]), Some("b"), "1"),
            (json!(vec![key(None); 100]), Some("a"), "8"),
        ] {
            assert_eq!(found(&keys, id, ed), expected, "{keys} {id:?}");
        }
        let not_the_keys = "its alg is not one of the key's";
        assert_eq!(found(&json!([key(Some("a"))]), Some("a"), Algorithm::RS256), not_the_keys);
        assert_eq!(found(&json!([key(None)]), Some("a"), Algorithm::RS256), not_the_keys);
        assert_eq!(found(&json!([key(None), key(Some("a"))]), Some("b"), Algorithm::RS256), "none");
        let mut weak = json!({ "kty": "RSA", "kid": "w", "n": "_w", "e": "AQAB" });
        let said = found(&json!([weak, key(Some("a"))]), Some("w"), Algorithm::RS256);
        assert!(said.contains("RSA key of 8 bits"), "{said}");
        weak["alg"] = json!("RS512");
        assert_ne!(found(&json!([weak, key(Some("a"))]), Some("w"), Algorithm::RS256), "none");
    }
}
