//! Checks tokens and says who calls.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{Header, Validation, dangerous, decode, decode_header, errors::ErrorKind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tongxin_proto::POOL;
use tracing::warn;

use super::{
    AccessConfig, Caller, IssuerConfig, KeyError, MethodPermissions,
    claims::{self, Claims, Said, part},
    config::matching,
    explain::Explanation,
    keys::{Keys, NoKey, PublicKey},
    refused::{Fault, TokenRefused},
};
use crate::{clock::Clock, limit::HourlyLimits};

/// Longest token that is looked at.
const TOKEN_BYTES: usize = 8 * 1024;

/// A token that was found good is not checked again for this long, in seconds.
const REMEMBER: i64 = 60;

/// Most tokens that are remembered.
const REMEMBERED: usize = 10_000;

/// Longest text of a token that the log repeats.
const SHOWN: usize = 100;

/// Kinds of tokens that are for calling somebody (RFC 7519, 5.1; RFC 9068, 2.1), in small letters and without `application/`.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Checks tokens against the configured issuers.
pub struct Access {
    issuers: HashMap<String, Issuer>,
    permissions_of: BTreeMap<String, HashSet<String>>,
    limits_of: BTreeMap<String, HourlyLimits>,
    clock: Clock,
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
}

struct Issuer {
    config: IssuerConfig,
    keys: Arc<Keys>,
}

/// A token that was found good.
struct Good<'access> {
    issuer: &'access IssuerConfig,
    said: Said,
    /// Second when it expires.
    expires: f64,
}

struct Remembered {
    caller: Caller,
    until: i64,
}

impl Access {
    /// Prepares the configured issuers and roles.
    ///
    /// # Errors
    /// When a key file or the address of keys cannot be used.
    pub fn new(config: AccessConfig, clock: Clock) -> Result<Self, KeyError> {
        // For whatever speaks TLS from here on; fails only if the program chose one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let known = MethodPermissions::known(&POOL);
        let permissions_of =
            config.roles.iter().map(|(role, patterns)| (role.clone(), matching(patterns, &known))).collect();
        let mut issuers = HashMap::new();
        for config in config.issuers {
            let keys = Arc::new(Keys::new(&config, &clock)?);
            issuers.insert(config.issuer.clone(), Issuer { config, keys });
        }
        Ok(Self { issuers, permissions_of, limits_of: config.limits, clock, remembered: Mutex::new(HashMap::new()) })
    }

    /// Says who calls with a token.
    ///
    /// # Errors
    /// When the token is not good, or nobody can say.
    pub async fn caller(&self, token: &str) -> Result<Caller, TokenRefused> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenRefused::new(Fault::Malformed, format!("it has more than {TOKEN_BYTES} bytes")));
        }
        let now = self.clock.now().timestamp();
        let key = Sha256::digest(token).into();
        if let Some(caller) = self.remembered(&key, now) {
            return Ok(caller);
        }
        let Good { issuer, said, expires } = self.check(token, now).await?;
        if !said.states_roles {
            // The bearer may do nothing, and nobody would know why.
            let IssuerConfig { issuer, roles_claim, .. } = issuer;
            warn!(issuer, claim = roles_claim, "a good token has no such claim of roles, so its bearer may do nothing");
        }
        let caller = self.caller_of(issuer, said);
        #[expect(clippy::cast_possible_truncation, reason = "what is too large for a number becomes the largest")]
        let until = (expires as i64).min(now + REMEMBER);
        self.remember(key, caller.clone(), until, now);
        Ok(caller)
    }

    /// Explains a token to an operator.
    pub async fn explain(&self, token: &str) -> Explanation {
        let (header, claims) = (part(token, 0), part(token, 1));
        let issuer = claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str);
        let issuer = issuer.and_then(|issuer| self.issuers.get(issuer)).map(|issuer| &issuer.config);
        let said = issuer.zip(claims.as_ref()).and_then(|(issuer, claims)| claims::read(issuer, claims).ok());
        let good = self.check(token, self.clock.now().timestamp()).await;
        Explanation {
            issuer: issuer.map(|issuer| issuer.issuer.clone()),
            known_roles: self.permissions_of.keys().cloned().collect(),
            verdict: good.map(|good| self.caller_of(good.issuer, good.said)),
            header,
            claims,
            said,
        }
    }

    /// Whether tokens of any issuer can be checked; looks for keys if not.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn ready(&self) -> Result<(), String> {
        if self.issuers.is_empty() || self.issuers.values().any(|issuer| issuer.keys.has_any()) {
            return Ok(());
        }
        for issuer in self.issuers.values() {
            tokio::spawn(Arc::clone(&issuer.keys).seek());
        }
        Err("no issuer's keys could be had yet, so no token can be checked".to_owned())
    }

    /// Checks everything, and remembers nothing.
    async fn check(&self, token: &str, now: i64) -> Result<Good<'_>, TokenRefused> {
        let (issuer, claims) = self.verify(token).await?;
        let issuer = &issuer.config;
        let read = || Ok((claims::check(issuer, &claims, now)?, claims::read(issuer, &claims)?));
        let (expires, said) = read().map_err(|refused: TokenRefused| refused.of(&issuer.issuer))?;
        Ok(Good { issuer, said, expires })
    }

    /// Checks header and signature.
    async fn verify(&self, token: &str) -> Result<(&Issuer, Claims), TokenRefused> {
        let header = header(token)?;
        let malformed = |_| TokenRefused::new(Fault::Malformed, "it is no signed token");
        // Only to find the issuer's keys: nothing that is read here is believed.
        let unchecked: Claims = dangerous::insecure_decode(token).map_err(malformed)?.claims;
        let issuer = match unchecked.get("iss") {
            Some(Value::String(iss)) => self.issuers.get(iss).ok_or_else(|| {
                let shown: String = iss.chars().take(SHOWN).collect();
                TokenRefused::new(Fault::IssuerUnknown, format!("iss is no issuer of the settings: {shown:?}"))
            })?,
            Some(_) => return Err(TokenRefused::new(Fault::IssuerUnknown, "iss is no text")),
            None => return Err(TokenRefused::new(Fault::IssuerUnknown, "there is no iss")),
        };
        let claims = issuer.verify(token, &header).await.map_err(|refused| refused.of(&issuer.config.issuer))?;
        Ok((issuer, claims))
    }

    fn caller_of(&self, issuer: &IssuerConfig, said: Said) -> Caller {
        let mut permissions = HashSet::new();
        let mut limits: Option<HourlyLimits> = None;
        for role in &said.roles {
            // Issuers give roles of their own besides, which say nothing here.
            let Some(allowed) = self.permissions_of.get(role) else { continue };
            permissions.extend(allowed.iter().cloned());
            let of_role = self.limits_of.get(role).copied().unwrap_or_default();
            limits = Some(limits.map_or(of_role, |limits| limits.larger(of_role)));
        }
        // Two issuers may know different people by one name.
        let subject = format!("{}|{}", issuer.issuer, said.subject);
        let caller = Caller::new(subject, said.region, permissions).of_department(said.department).in_roles(said.roles);
        caller.with_limits(limits.unwrap_or_default())
    }

    fn remembered(&self, key: &[u8; 32], now: i64) -> Option<Caller> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(key).filter(|found| now < found.until).map(|found| found.caller.clone())
    }

    fn remember(&self, key: [u8; 32], caller: Caller, until: i64, now: i64) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.retain(|_, found| now < found.until);
        }
        if remembered.len() < REMEMBERED {
            remembered.insert(key, Remembered { caller, until });
        }
    }
}

impl Issuer {
    /// Checks a token by the key that it names.
    async fn verify(&self, token: &str, header: &Header) -> Result<Claims, TokenRefused> {
        let found = self.keys.find(header.kid.as_deref()).await;
        let PublicKey { key, algorithms } = found.map_err(|missing| match missing {
            NoKey::Unknown => TokenRefused::new(Fault::KeyUnknown, "the issuer has no key by its kid"),
            NoKey::Unavailable => TokenRefused::new(Fault::KeysUnavailable, "the issuer's keys cannot be had"),
        })?;
        if !algorithms.contains(&header.alg) {
            return Err(TokenRefused::new(Fault::Algorithm, "its alg is not one of the key's"));
        }
        let mut validation = Validation::new(header.alg);
        validation.algorithms = algorithms;
        // What claims have to be is ours to say, below.
        validation.required_spec_claims.clear();
        validation.validate_aud = false;
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded = decode::<Claims>(token, &key, &validation);
        decoded.map(|token| token.claims).map_err(|error| match error.kind() {
            // Claims are looked at once the signature is right.
            ErrorKind::Json(_) => TokenRefused::new(Fault::ClaimMalformed, "a claim of RFC 7519 has another type"),
            _ => TokenRefused::new(Fault::Signature, "its signature is wrong"),
        })
    }
}

/// Reads the header, and whether a token by it is one for calling us.
fn header(token: &str) -> Result<Header, TokenRefused> {
    let malformed = || TokenRefused::new(Fault::Malformed, "it is no signed token");
    let fields = part(token, 0).ok_or_else(malformed)?;
    // We understand no extension, so none that has to be understood.
    if fields.contains_key("crit") {
        return Err(TokenRefused::new(Fault::CriticalExtension, "its header has crit"));
    }
    let header = decode_header(token).map_err(|_| malformed())?;
    if let Some(typ) = &header.typ {
        let name = typ.to_ascii_lowercase();
        if !TYPES.contains(&name.strip_prefix("application/").unwrap_or(&name)) {
            return Err(TokenRefused::new(Fault::Type, "its typ is neither JWT nor at+jwt"));
        }
    }
    Ok(header)
}
