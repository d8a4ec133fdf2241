//! Checks tokens and says who calls.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Validation, dangerous, decode, decode_header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tongxin_proto::POOL;

use super::{
    AccessConfig, Caller, IssuerConfig, KeyError, MethodPermissions,
    config::matching,
    keys::{Keys, PublicKey},
};
use crate::{clock::Clock, limit::HourlyLimits, region::RegionCode};

/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 10;

/// Longest token that is looked at.
const TOKEN_BYTES: usize = 8 * 1024;

/// A token that was found good is not checked again for this long, in seconds.
const REMEMBER: i64 = 60;

/// Most tokens that are remembered.
const REMEMBERED: usize = 10_000;

/// Why a token is not accepted. Callers learn only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not three parts of a signed token, or too long.
    #[error("malformed")]
    Malformed,
    /// Signed by somebody who is not known.
    #[error("unknown issuer")]
    Issuer,
    /// Signed with a key that is not known.
    #[error("unknown key")]
    Key,
    /// Signed with an algorithm that the key is not for, or none.
    #[error("algorithm not allowed")]
    Algorithm,
    /// The signature, the audience or a required claim is wrong.
    #[error("not valid")]
    Invalid,
    /// Not yet, or no longer.
    #[error("outside its time")]
    Time,
    /// No region, or something that is no region.
    #[error("without a region")]
    Region,
}

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
    keys: Keys,
}

struct Remembered {
    caller: Caller,
    until: i64,
}

impl Access {
    /// Prepares the configured issuers and roles.
    ///
    /// # Errors
    /// When a key file cannot be used.
    pub fn new(config: AccessConfig, clock: Clock) -> Result<Self, KeyError> {
        let known = MethodPermissions::known(&POOL);
        let permissions_of =
            config.roles.iter().map(|(role, patterns)| (role.clone(), matching(patterns, &known))).collect();
        let mut issuers = HashMap::new();
        for config in config.issuers {
            let keys = Keys::new(config.keys.clone())?;
            issuers.insert(config.issuer.clone(), Issuer { config, keys });
        }
        Ok(Self { issuers, permissions_of, limits_of: config.limits, clock, remembered: Mutex::new(HashMap::new()) })
    }

    /// Says who calls with a token.
    ///
    /// # Errors
    /// When the token is not good.
    pub async fn caller(&self, token: &str) -> Result<Caller, TokenRefused> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenRefused::Malformed);
        }
        let now = self.clock.now().timestamp();
        let key = Sha256::digest(token).into();
        if let Some(caller) = self.remembered(&key, now) {
            return Ok(caller);
        }
        let (issuer, claims) = self.check(token).await?;
        let expires = check_time(&claims, now)?;
        let caller = self.read_caller(&issuer.config, &claims)?;
        self.remember(key, caller.clone(), expires.min(now + REMEMBER), now);
        Ok(caller)
    }

    /// Checks everything but the time.
    async fn check(&self, token: &str) -> Result<(&Issuer, Claims), TokenRefused> {
        if names_critical_extensions(token)? {
            return Err(TokenRefused::Malformed);
        }
        let header = decode_header(token).map_err(|_| TokenRefused::Malformed)?;
        if header.typ.as_deref().is_some_and(|typ| !["JWT", "at+jwt"].contains(&typ)) {
            return Err(TokenRefused::Malformed);
        }
        // Only to find the issuer's keys: nothing that is read here is believed.
        let unchecked: Claims = dangerous::insecure_decode(token).map_err(|_| TokenRefused::Malformed)?.claims;
        let issuer = unchecked.get("iss").and_then(Value::as_str).and_then(|iss| self.issuers.get(iss));
        let issuer = issuer.ok_or(TokenRefused::Issuer)?;
        let PublicKey { key, algorithms } = issuer.keys.find(header.kid.as_deref()).await.ok_or(TokenRefused::Key)?;
        if !algorithms.contains(&header.alg) {
            return Err(TokenRefused::Algorithm);
        }
        let mut validation = Validation::new(header.alg);
        validation.algorithms = algorithms;
        validation.set_issuer(&[&issuer.config.issuer]);
        validation.set_audience(&[&issuer.config.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Our own clock decides, below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = decode::<Claims>(token, &key, &validation).map_err(|_| TokenRefused::Invalid)?.claims;
        Ok((issuer, claims))
    }

    fn read_caller(&self, issuer: &IssuerConfig, claims: &Claims) -> Result<Caller, TokenRefused> {
        let subject = claims.get("sub").and_then(Value::as_str).ok_or(TokenRefused::Invalid)?;
        let region = match claims.get(&issuer.region_claim) {
            Some(claim) => claim.as_str(),
            None => issuer.default_region.as_deref(),
        };
        let read = if issuer.may_be_national { RegionCode::parse_of_caller } else { RegionCode::parse };
        let region = region.and_then(|region| read(region).ok()).ok_or(TokenRefused::Region)?;
        let mut permissions = HashSet::new();
        let mut limits: Option<HourlyLimits> = None;
        let roles = roles(issuer, claims, subject);
        for role in &roles {
            // Issuers give roles of their own besides, which say nothing here.
            let Some(allowed) = self.permissions_of.get(role) else { continue };
            permissions.extend(allowed.iter().cloned());
            let of_role = self.limits_of.get(role).copied().unwrap_or_default();
            limits = Some(limits.map_or(of_role, |limits| limits.larger(of_role)));
        }
        let department = department(issuer, claims, subject);
        // Two issuers may know different people by one name.
        let subject = format!("{}|{subject}", issuer.issuer);
        let caller = Caller::new(subject, region, permissions).of_department(department).in_roles(roles);
        Ok(caller.with_limits(limits.unwrap_or_default()))
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

/// Whether the header says `crit` (RFC 7515, 4.1.11): we understand no extension, so none that has to be understood.
fn names_critical_extensions(token: &str) -> Result<bool, TokenRefused> {
    let header = token.split('.').next().and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let header: Claims = header.and_then(|json| serde_json::from_slice(&json).ok()).ok_or(TokenRefused::Malformed)?;
    Ok(header.contains_key("crit"))
}

type Claims = serde_json::Map<String, Value>;

/// Says when the token expires.
fn check_time(claims: &Claims, now: i64) -> Result<i64, TokenRefused> {
    let seconds = |claim: &str| claims.get(claim).and_then(Value::as_i64).ok_or(TokenRefused::Time);
    let (expires, begins) = (seconds("exp")?, seconds("nbf")?);
    if now < begins.saturating_sub(LEEWAY) || expires.saturating_add(LEEWAY) <= now {
        return Err(TokenRefused::Time);
    }
    Ok(expires)
}

/// A claim that is no text names no department, nor does the subject then.
fn department(issuer: &IssuerConfig, claims: &Claims, subject: &str) -> Option<String> {
    match claims.get(&issuer.department_claim) {
        Some(claim) => claim.as_str().map(str::to_owned),
        None => issuer.department_of_subject.get(subject).cloned(),
    }
}

fn roles(issuer: &IssuerConfig, claims: &Claims, subject: &str) -> Vec<String> {
    let stated: Vec<&str> = match claims.get(&issuer.roles_claim) {
        Some(Value::String(role)) => vec![role],
        Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let own = |role: &str| issuer.role_of.get(role).map_or_else(|| role.to_owned(), Clone::clone);
    let given = issuer.roles_of_subject.get(subject).into_iter().flatten().cloned();
    stated.into_iter().map(own).chain(given).collect()
}
