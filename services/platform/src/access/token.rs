//! Checks tokens and returns callers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tongxin_proto::{POOL, telling::telling};
use tracing::warn;

use super::{
    AccessConfig, Caller, IssuerConfig, KeyError, MethodPermissions,
    claims::{self, Claims, RolesClaim, Said, part},
    config::matching,
    explain::Explanation,
    keys::{Keys, NoKey, algorithm},
    refused::{Fault, TokenRefused},
};
use crate::{clock::Clock, limit::HourlyLimits, region::RegionCode, telemetry::Quiet};

/// Maximum length of a token: half of what all headers may have. Tokens of Entra with 200 groups have about 12 KiB.
const TOKEN_BYTES: usize = 16 * 1024;

/// How long a valid token is cached, in seconds.
const REMEMBER: i64 = 60;

/// Maximum number of cached tokens.
const REMEMBERED: usize = 10_000;

/// Header, claims and signature.
const PARTS: usize = 3;

/// Maximum length of a token's texts in the log.
const SHOWN: usize = 100;

/// Types of tokens for calling APIs (RFC 7519, 5.1; RFC 9068, 2.1), in lower case and without `application/`.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Checks tokens against the configured issuers.
pub struct Access {
    issuers: HashMap<String, Issuer>,
    permissions_of: BTreeMap<String, HashSet<String>>,
    limits_of: BTreeMap<String, HourlyLimits>,
    clock: Clock,
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
    roleless: Quiet<Roleless>,
}

/// Good tokens without a configured role: whose, and why.
type Roleless = (String, RolesClaim);

struct Issuer {
    config: IssuerConfig,
    keys: Arc<Keys>,
}

/// A valid token.
struct Good<'access> {
    issuer: &'access IssuerConfig,
    said: Said,
    region: RegionCode,
    /// When it expires, in seconds since 1970.
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
    /// If a key file or the address of keys cannot be used, or an issuer is configured twice.
    pub fn new(config: AccessConfig, clock: Clock) -> Result<Self, KeyError> {
        // For all TLS from here on; fails only if the program chose a provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let known = MethodPermissions::known(&POOL);
        let permissions_of =
            config.roles.iter().map(|(role, patterns)| (role.clone(), matching(patterns, &known))).collect();
        let mut issuers = HashMap::new();
        for config in config.issuers {
            let keys = Arc::new(Keys::new(&config, &clock)?);
            let name = config.issuer.clone();
            if issuers.insert(name.clone(), Issuer { config, keys }).is_some() {
                return Err(KeyError::IssuerTwice(name));
            }
        }
        let (remembered, roleless) = (Mutex::default(), Quiet::new());
        Ok(Self { issuers, permissions_of, limits_of: config.limits, clock, remembered, roleless })
    }

    /// Returns the caller of a token.
    ///
    /// # Errors
    /// If the token is invalid, or cannot be checked.
    pub async fn caller(&self, token: &str) -> Result<Caller, TokenRefused> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenRefused::new(Fault::Malformed, format!("it has more than {TOKEN_BYTES} bytes")));
        }
        let now = self.clock.now().timestamp();
        let key = Sha256::digest(token).into();
        if let Some(caller) = self.remembered(&key, now) {
            return Ok(caller);
        }
        let good = self.check(token, now).await?;
        self.warn_of_roleless(&good);
        let expires = good.expires;
        let caller = self.caller_of(good);
        #[expect(clippy::cast_possible_truncation, reason = "what is too large for a number becomes the largest")]
        let until = (expires as i64).min(now + REMEMBER);
        self.remember(key, caller.clone(), until, now);
        Ok(caller)
    }

    /// Explains a token to an operator.
    pub async fn explain(&self, token: &str) -> Explanation {
        let (header, claims) = (part::<Claims>(token, 0), part::<Claims>(token, 1));
        let issuer = claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str);
        let issuer = issuer.and_then(|issuer| self.issuers.get(issuer)).map(|issuer| &issuer.config);
        let said = issuer.zip(claims.as_ref()).and_then(|(issuer, claims)| claims::read(issuer, claims).ok());
        let good = self.check(token, self.clock.now().timestamp()).await;
        let of_roles = said.iter().flat_map(|said| &said.roles).filter_map(|role| self.permissions_of.get(role));
        let permissions: BTreeSet<_> = of_roles.flatten().cloned().collect();
        Explanation {
            issuer: issuer.map(|issuer| issuer.issuer.clone()),
            known_roles: self.permissions_of.keys().cloned().collect(),
            permissions: permissions.into_iter().collect(),
            verdict: good.map(|good| self.caller_of(good)),
            header,
            claims,
            said,
        }
    }

    /// Whether tokens of any issuer can be checked; loads keys if not.
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

    /// Checks a token without using the cache.
    async fn check(&self, token: &str, now: i64) -> Result<Good<'_>, TokenRefused> {
        let (issuer, claims) = self.verify(token).await?;
        let issuer = &issuer.config;
        let read = || {
            let (expires, said) = (claims::check(issuer, &claims, now)?, claims::read(issuer, &claims)?);
            let region = said.region.clone()?;
            Ok(Good { issuer, said, region, expires })
        };
        read().map_err(|refused: TokenRefused| refused.of(&issuer.issuer))
    }

    /// Checks header and signature.
    async fn verify(&self, token: &str) -> Result<(&Issuer, Claims), TokenRefused> {
        let header = header(token)?;
        // Only to find the issuer's keys: nothing that is read here is trusted until the signature is verified.
        let unchecked: Claims = part(token, 1).ok_or_else(malformed)?;
        let issuer = match unchecked.get("iss") {
            Some(Value::String(iss)) => self.issuers.get(iss).ok_or_else(|| {
                TokenRefused::new(Fault::IssuerUnknown, format!("iss is no issuer of the settings: {}", shown(iss)))
            })?,
            Some(_) => return Err(TokenRefused::new(Fault::IssuerUnknown, "iss is no text")),
            None => return Err(TokenRefused::new(Fault::IssuerUnknown, "there is no iss")),
        };
        issuer.verify(token, &header).await.map_err(|refused| refused.of(&issuer.config.issuer))?;
        Ok((issuer, unchecked))
    }

    /// The bearer may do nothing, and would not know why.
    fn warn_of_roleless(&self, good: &Good<'_>) {
        if good.said.roles.iter().any(|role| self.permissions_of.contains_key(role)) {
            return;
        }
        let kind = (good.issuer.issuer.clone(), good.said.roles_claim);
        for ((issuer, roles_claim), tokens) in self.roleless.note(kind.clone(), kind, Instant::now()) {
            let fault = match roles_claim {
                RolesClaim::Missing => "there is no such claim",
                RolesClaim::Malformed => "it is neither a text nor a list of texts",
                RolesClaim::Stated => "none of its roles is one of access.roles, nor mapped to one by role_of",
            };
            let claim = self.issuers.get(&issuer).map(|issuer| &issuer.config.roles_claim);
            // In no span: the current one would name the last caller.
            warn!(parent: None, tokens, issuer, claim, fault, "good tokens without a known role: their bearers may do nothing");
        }
    }

    fn caller_of(&self, Good { issuer, said, region, .. }: Good<'_>) -> Caller {
        let mut permissions = HashSet::new();
        let mut limits: Option<HourlyLimits> = None;
        for role in &said.roles {
            // Issuers also list roles of their own, which mean nothing here.
            let Some(allowed) = self.permissions_of.get(role) else { continue };
            permissions.extend(allowed.iter().cloned());
            let of_role = self.limits_of.get(role).copied().unwrap_or_default();
            limits = Some(limits.map_or(of_role, |limits| limits.larger(of_role)));
        }
        // Two issuers may use the same name for different people.
        let subject = format!("{}|{}", issuer.issuer, said.subject);
        let caller = Caller::new(subject, region, permissions).of_department(said.department).in_roles(said.roles);
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
    /// Verifies a token's signature with the keys that may have signed it.
    async fn verify(&self, token: &str, header: &Header) -> Result<(), TokenRefused> {
        let algorithm = header.algorithm()?;
        let keys = self.keys.find(header.kid.as_deref(), algorithm).await.map_err(|missing| no_key(missing, header))?;
        let (content, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let is_by = |key| crypto::verify(signature, content.as_bytes(), key, algorithm).unwrap_or(false);
        if keys.iter().any(is_by) { Ok(()) } else { Err(TokenRefused::new(Fault::Signature, "its signature is wrong")) }
    }
}

fn no_key(missing: NoKey, header: &Header) -> TokenRefused {
    match missing {
        NoKey::NotFor(why) => TokenRefused::new(Fault::Algorithm, why),
        NoKey::Unknown if header.kid.is_none() => {
            TokenRefused::new(Fault::KeyUnknown, "it has no kid, and the issuer's key set has several keys")
        }
        NoKey::Unknown => TokenRefused::new(Fault::KeyUnknown, "the issuer's key set has no key with the token's kid"),
        NoKey::Unavailable(why) => {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            TokenRefused::new(Fault::KeysUnavailable, format!("the issuer's keys cannot be had{why}"))
        }
    }
}

/// The unverified issuer of a token, if it looks like one: anybody may write anything there, and the log must not
/// contain what it says of people.
fn shown(iss: &str) -> String {
    if iss.chars().all(|char| char.is_ascii_graphic()) && telling(iss).is_none() {
        format!("{:?}", iss.chars().take(SHOWN).collect::<String>())
    } else {
        format!("not shown, {} characters that make no name of an issuer", iss.chars().count())
    }
}

fn malformed() -> TokenRefused {
    TokenRefused::new(Fault::Malformed, "it is no signed token")
}

/// How the header says that the token is signed (RFC 7515, 4.1). A name that occurs twice is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

impl Header {
    fn algorithm(&self) -> Result<Algorithm, TokenRefused> {
        let unknown = || TokenRefused::new(Fault::Algorithm, "its alg is none of RS256, PS256, ES256, ES384 and EdDSA");
        algorithm(&self.alg).ok_or_else(unknown)
    }
}

/// Parses the header, and checks that the token is one for calling APIs.
fn header(token: &str) -> Result<Header, TokenRefused> {
    if token.split('.').count() != PARTS {
        return Err(malformed());
    }
    // We understand no extension, so none may be critical.
    if part::<Claims>(token, 0).ok_or_else(malformed)?.contains_key("crit") {
        return Err(TokenRefused::new(Fault::CriticalExtension, "its header has crit"));
    }
    let header: Header = part(token, 0).ok_or_else(malformed)?;
    if let Some(typ) = &header.typ {
        let name = typ.to_ascii_lowercase();
        if !TYPES.contains(&name.strip_prefix("application/").unwrap_or(&name)) {
            return Err(TokenRefused::new(Fault::Type, "its typ is neither JWT nor at+jwt"));
        }
    }
    Ok(header)
}
