//! Forged, borrowed and stale tokens.

use chrono::TimeDelta;
use ed25519_dalek::pkcs8::{EncodePublicKey as _, spki::der::pem::LineEnding};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use tempfile::TempDir;

use super::*;

/// Access by a PEM file and by a key set with the same key.
struct Both {
    signer: Signer,
    pem: String,
    set: String,
    doors: [Access; 2],
    folder: TempDir,
}

impl Both {
    fn new() -> Self {
        let (signer, folder) = (Signer::new("one", 1), TempDir::new().unwrap());
        let (pem_file, set_file) = (folder.path().join("key.pem"), folder.path().join("keys.json"));
        let pem = signer.key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
        let set = json!({ "keys": [signer.jwk()] }).to_string();
        std::fs::write(&pem_file, &pem).unwrap();
        std::fs::write(&set_file, &set).unwrap();
        let doors = [access_by(KeySource::PemFile(pem_file)), access_by(KeySource::JwksFile(set_file))];
        Self { signer, pem, set, doors, folder }
    }

    async fn refuse(&self, what: &str, token: &str, fault: Fault) {
        for door in &self.doors {
            let called = door.caller(token).await.map(|caller| caller.subject().to_owned());
            assert_eq!(called.map_err(|refused| refused.fault), Err(fault), "{what}");
        }
    }
}

#[tokio::test]
async fn a_good_token_says_who_calls() {
    let both = Both::new();
    for door in &both.doors {
        let caller = door.caller(&both.signer.good()).await.unwrap();
        assert_eq!(caller.subject(), "https://people.example|zhang");
        assert_eq!(caller.region().to_string(), "441823000000");
        assert!(caller.may("shop.order.approve"));
        assert!(!caller.may("log.event.read") && !caller.may("history.load"));
    }
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let both = Both::new();
    for name in ["none", "None", "NONE", "nOnE"] {
        let header = json!({ "alg": name, "typ": "JWT", "kid": "one" });
        let token = unsigned(&header, &claims());
        both.refuse(name, &format!("{token}."), Fault::Algorithm).await;
        both.refuse(name, &token, Fault::Malformed).await;
    }
    let good = both.signer.good();
    let (content, _) = good.rsplit_once('.').unwrap();
    both.refuse("an empty signature", &format!("{content}."), Fault::Signature).await;
    let stranger = Signer::new("one", 2);
    both.refuse("another's signature", &stranger.good(), Fault::Signature).await;
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let both = Both::new();
    let secrets = [both.pem.as_bytes(), both.pem.trim_end().as_bytes(), &both.signer.public(), both.set.as_bytes()];
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in secrets {
            let header = Header { kid: Some("one".to_owned()), ..Header::new(algorithm) };
            let token = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            both.refuse("signed with the public key", &token, Fault::Algorithm).await;
        }
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_the_keys_is_refused() {
    let both = Both::new();
    for algorithm in ["RS256", "ES256", "PS256", "ES384", "RS512"] {
        let token = both.signer.sign(&json!({ "alg": algorithm, "typ": "JWT", "kid": "one" }), &claims());
        both.refuse(algorithm, &token, Fault::Algorithm).await;
    }
}

#[tokio::test]
async fn an_algorithm_that_nobody_takes_is_told_with_the_issuer_and_fetches_nothing() {
    let both = Both::new();
    for algorithm in ["ES512", "ES256K", "none", "HS256", "Ed448", "eddsa", ""] {
        let token = both.signer.sign(&json!({ "alg": algorithm, "kid": "stranger" }), &claims());
        for door in &both.doors {
            let refused = door.caller(&token).await.unwrap_err();
            assert_eq!((refused.fault, refused.issuer.as_deref()), (Fault::Algorithm, Some(ISSUER)), "{algorithm}");
        }
    }
    // The name of RFC 9864 for the same.
    for door in &both.doors {
        door.caller(&both.signer.sign(&json!({ "alg": "Ed25519", "kid": "one" }), &claims())).await.unwrap();
    }
    for header in [json!({}), json!({ "alg": 7 }), json!({ "alg": "EdDSA", "kid": 7 }), json!([]), json!("EdDSA")] {
        both.refuse(&header.to_string(), &both.signer.sign(&header, &claims()), Fault::Malformed).await;
    }
}

#[tokio::test]
async fn a_name_that_is_twice_in_a_header_is_refused() {
    let both = Both::new();
    let header = r#"{"alg":"none","alg":"EdDSA","kid":"one"}"#;
    let content = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
    let signature = ed25519_dalek::Signer::sign(&both.signer.key, content.as_bytes()).to_bytes();
    both.refuse(header, &format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature)), Fault::Malformed).await;
}

#[tokio::test]
async fn a_token_for_somebody_else_or_from_somebody_else_is_refused() {
    let both = Both::new();
    for (name, value, reason) in [
        ("iss", json!("https://other.example"), Fault::IssuerUnknown),
        ("iss", json!(null), Fault::IssuerUnknown),
        ("iss", json!([ISSUER]), Fault::IssuerUnknown),
        ("aud", json!("another"), Fault::Audience),
        ("aud", json!(["another"]), Fault::Audience),
        ("aud", json!(null), Fault::ClaimMissing),
        ("aud", json!(7), Fault::Audience),
        ("aud", json!([["tongxin"]]), Fault::Audience),
        ("sub", json!(null), Fault::ClaimMissing),
        ("sub", json!(""), Fault::ClaimMalformed),
        ("sub", json!(7), Fault::ClaimMalformed),
        ("region", json!(null), Fault::Region),
        ("region", json!("44"), Fault::Region),
        ("region", json!(441_823_000_000_i64), Fault::Region),
    ] {
        let claims = claims_with(name, value);
        both.refuse(&claims.to_string(), &both.signer.sign(&both.signer.header(), &claims), reason).await;
    }
    for typ in ["dpop+jwt", "logout+jwt", "application/", "application/application/jwt", "text/jwt", ""] {
        let header = json!({ "alg": "EdDSA", "typ": typ, "kid": "one" });
        both.refuse(typ, &both.signer.sign(&header, &claims()), Fault::Type).await;
    }
}

#[tokio::test]
async fn a_token_outside_of_its_time_is_refused() {
    let both = Both::new();
    let now = noon().timestamp();
    for (name, value, fault) in [
        ("exp", json!(now - 11), Fault::Expired),
        ("exp", json!(-1), Fault::Expired),
        ("exp", json!(-0.5), Fault::Expired),
        ("exp", json!((now + 600).to_string()), Fault::ClaimMalformed),
        ("exp", json!([now + 600]), Fault::ClaimMalformed),
        ("exp", json!(true), Fault::ClaimMalformed),
        ("exp", json!(null), Fault::ClaimMissing),
        ("nbf", json!(now + 11), Fault::NotYetValid),
        ("nbf", json!(now + 3_600), Fault::NotYetValid),
        ("nbf", json!(now.to_string()), Fault::ClaimMalformed),
    ] {
        let claims = claims_with(name, value);
        both.refuse(&claims.to_string(), &both.signer.sign(&both.signer.header(), &claims), fault).await;
    }
    // Null is present, but no number.
    for name in ["exp", "nbf"] {
        let mut claims = claims();
        claims[name] = Value::Null;
        both.refuse(name, &both.signer.sign(&both.signer.header(), &claims), Fault::ClaimMalformed).await;
    }
}

/// RFC 7519: `nbf` is optional, and a `NumericDate` may have a fraction.
#[tokio::test]
async fn times_are_written_as_identity_providers_write_them() {
    let both = Both::new();
    let now = noon().timestamp();
    let written = [
        format!(r#"{{"exp":{}}}"#, now + 600),
        format!(r#"{{"exp":{}.75,"nbf":{}.25}}"#, now + 600, now - 5),
        format!(r#"{{"exp":{}.0}}"#, now + 600),
        format!(r#"{{"exp":{:e}}}"#, now + 600),
        r#"{"exp":1e300}"#.to_owned(),
    ];
    for times in written {
        let mut claims = claims_with("nbf", Value::Null);
        claims.as_object_mut().unwrap().remove("exp");
        let times: Value = serde_json::from_str(&times).unwrap();
        claims.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        let token = both.signer.sign(&both.signer.header(), &claims);
        for door in &both.doors {
            assert!(door.caller(&token).await.is_ok(), "{claims}");
        }
    }
}

#[tokio::test]
async fn headers_are_written_as_identity_providers_write_them() {
    let both = Both::new();
    for header in [
        json!({ "alg": "EdDSA", "kid": "one" }),
        json!({ "alg": "EdDSA", "typ": "JWT" }),
        json!({ "alg": "EdDSA", "kid": "one", "typ": "jwt" }),
        json!({ "alg": "EdDSA", "kid": "one", "typ": "at+JWT" }),
        json!({ "alg": "EdDSA", "kid": "one", "typ": "application/at+jwt" }),
        json!({ "alg": "EdDSA", "kid": "one", "typ": "Application/JWT", "x5t": "AAAA", "cty": "JWT" }),
    ] {
        let token = both.signer.sign(&header, &claims());
        for door in &both.doors {
            assert!(door.caller(&token).await.is_ok(), "{header}");
        }
    }
}

#[tokio::test]
async fn a_refusal_names_claim_and_issuer_and_nothing_of_the_token() {
    let both = Both::new();
    let secret = "SECRETSECRET";
    let mut claims = claims_with("nbf", json!("soon"));
    claims["jti"] = json!(secret);
    let refused = both.doors[0].caller(&both.signer.sign(&both.signer.header(), &claims)).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("nbf is no number (issuer {ISSUER})"));
    let audience = claims_with("aud", json!("another"));
    let refused = both.doors[0].caller(&both.signer.sign(&both.signer.header(), &audience)).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("aud is not tongxin (issuer {ISSUER})"));
    let long = claims_with("iss", json!(format!("https://other.example/{}", "x".repeat(5_000))));
    let refused = both.doors[0].caller(&both.signer.sign(&both.signer.header(), &long)).await.unwrap_err();
    assert!(refused.to_string().len() < 200 && refused.issuer.is_none(), "{refused}");
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_when_its_time_is_over() {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let clock = Clock::fixed(noon());
    let issuers = vec![IssuerConfig::new(ISSUER, KeySource::JwksFile(file))];
    let access = Access::new(config_of(issuers), clock.clone()).unwrap();
    let claims = claims_with("exp", json!(noon().timestamp() + 30));
    let token = signer.sign(&signer.header(), &claims);
    access.caller(&token).await.unwrap();
    clock.set(noon() + TimeDelta::seconds(41));
    assert_eq!(access.caller(&token).await.unwrap_err().fault, Fault::Expired);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let both = Both::new();
    let padded = |bytes| both.signer.sign(&both.signer.header(), &claims_with("padding", json!("x".repeat(bytes))));
    let (large, long) = (padded(11 * 1024), padded(12 * 1024));
    for door in &both.doors {
        door.caller(&large).await.unwrap();
    }
    let good = both.signer.good();
    for token in ["", ".", "..", "a.b.c", "密.码.一", &long, &format!("{good}.x"), &good[1..]] {
        both.refuse(token, token, Fault::Malformed).await;
    }
}

#[tokio::test]
async fn a_key_that_the_set_does_not_have_is_refused() {
    let (one, two) = (Signer::new("one", 1), Signer::new("two", 2));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [one.jwk(), two.jwk()] }).to_string()).unwrap();
    let access = access_by(KeySource::JwksFile(file));
    // With more than one key, a token has to name the one that signed it.
    for (header, said) in [
        (json!({ "alg": "EdDSA", "kid": "three" }), "the issuer's key set has no key with the token's kid"),
        (json!({ "alg": "EdDSA" }), "it has no kid, and the issuer's key set has several keys"),
    ] {
        let refused = access.caller(&one.sign(&header, &claims())).await.unwrap_err();
        assert_eq!((refused.fault, refused.detail.as_str()), (Fault::KeyUnknown, said), "{header}");
    }
    assert_eq!(access.caller(&one.sign(&two.header(), &claims())).await.unwrap_err().fault, Fault::Signature);
}

#[tokio::test]
async fn roles_come_from_the_issuers_own_words_and_subjects() {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksFile(file));
    issuer.role_of.insert("县级".to_owned(), "county".to_owned());
    issuer.roles_of_subject.insert("robot".to_owned(), vec!["system".to_owned()]);
    issuer.default_region = Some("440000000000".to_owned());
    let access = Access::new(config_of(vec![issuer]), Clock::fixed(noon()));
    let access = access.unwrap();
    let caller = async |claims: Value| access.caller(&signer.sign(&signer.header(), &claims)).await.unwrap();

    let person = caller(claims_with("roles", json!("县级"))).await;
    assert!(person.may("shop.order.approve") && !person.may("log.event.read"));
    let mut robot = claims_with("roles", Value::Null);
    robot["sub"] = json!("robot");
    robot.as_object_mut().unwrap().remove("region");
    let robot = caller(robot).await;
    assert!(robot.may("log.event.read"));
    assert_eq!(robot.region().to_string(), "440000000000");
    let nobody = caller(claims_with("roles", json!({ "county": true }))).await;
    assert!(!nobody.may("shop.order.read"));
}

/// Access by a key set with changed settings of the issuer, and a token with changed claims.
async fn called(change: impl FnOnce(&mut IssuerConfig), claims: Value) -> Result<Caller, Fault> {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksFile(file));
    change(&mut issuer);
    let config = config_of(vec![issuer]);
    let access = Access::new(config, Clock::fixed(noon())).unwrap();
    access.caller(&signer.sign(&signer.header(), &claims)).await.map_err(|refused| refused.fault)
}

#[tokio::test]
async fn claims_are_where_the_issuer_puts_them() {
    let nested = |issuer: &mut IssuerConfig| {
        issuer.roles_claim = "realm_access.roles".to_owned();
        issuer.region_claim = "attributes.region".to_owned();
    };
    let mut claims = claims();
    claims["realm_access"] = json!({ "roles": ["offline_access", "county"] });
    claims["attributes"] = json!({ "region": ["441881000000"] });
    claims["roles"] = json!(["hq"]);
    let caller = called(nested, claims.clone()).await.unwrap();
    assert!(caller.may("shop.order.approve") && !caller.may("shop.price.set"));
    assert_eq!(caller.region().to_string(), "441881000000");
    // The literal name comes first.
    claims["realm_access.roles"] = json!(["village"]);
    assert!(!called(nested, claims.clone()).await.unwrap().may("shop.order.approve"));
    claims["attributes"] = json!({ "region": ["441881000000", "441882000000"] });
    assert_eq!(called(nested, claims.clone()).await.unwrap_err(), Fault::Region);
    claims["attributes"] = json!("441881000000");
    assert_eq!(called(nested, claims).await.unwrap_err(), Fault::Region);
}

#[tokio::test]
async fn regions_are_mapped_by_word_and_by_subject() {
    let mapped = |issuer: &mut IssuerConfig| {
        issuer.region_of = [("yingde".to_owned(), "441881000000".to_owned())].into();
        issuer.region_of_subject = [("robot".to_owned(), "440000000000".to_owned())].into();
        issuer.default_region = Some("441800000000".to_owned());
    };
    let region = async |claims: Value| called(mapped, claims).await.map(|caller| caller.region().to_string());
    assert_eq!(region(claims_with("region", json!(["yingde"]))).await.as_deref(), Ok("441881000000"));
    assert_eq!(region(claims_with("region", json!("441823000000"))).await.as_deref(), Ok("441823000000"));
    assert_eq!(region(claims_with("region", json!("lianshan"))).await, Err(Fault::Region));
    let mut robot = claims_with("region", Value::Null);
    assert_eq!(region(robot.clone()).await.as_deref(), Ok("441800000000"));
    robot["sub"] = json!("robot");
    assert_eq!(region(robot.clone()).await.as_deref(), Ok("440000000000"));
    // The setting for the subject does not replace an empty claim.
    robot["region"] = Value::Null;
    assert_eq!(region(robot).await, Err(Fault::Region));
}

#[tokio::test]
async fn the_whole_country_is_a_region_for_tokens_of_some_issuers_alone() {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let access = |change: fn(&mut IssuerConfig)| {
        let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksFile(file.clone()));
        change(&mut issuer);
        Access::new(config_of(vec![issuer]), Clock::fixed(noon())).unwrap()
    };
    let (plain, national) = (access(|_| {}), access(|issuer| issuer.may_be_national = true));
    let token = |claims: &Value| signer.sign(&signer.header(), claims);
    let country = token(&claims_with("region", json!("000000000000")));
    assert_eq!(plain.caller(&country).await.unwrap_err().fault, Fault::Region);
    assert_eq!(national.caller(&country).await.unwrap().region(), crate::region::RegionCode::COUNTRY);
    for region in [json!("0"), json!("00000000000"), json!(0), json!(""), json!(" 000000000000"), json!("000000000001")]
    {
        let token = token(&claims_with("region", region.clone()));
        assert_eq!(national.caller(&token).await.unwrap_err().fault, Fault::Region, "{region}");
    }
    // An issuer's default makes nobody national either.
    let without = token(&claims_with("region", Value::Null));
    let by_default = access(|issuer| issuer.default_region = Some("000000000000".to_owned()));
    assert_eq!(by_default.caller(&without).await.unwrap_err().fault, Fault::Region);
}

#[tokio::test]
async fn a_header_with_extensions_that_have_to_be_understood_is_refused() {
    let both = Both::new();
    for critical in [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("exp")] {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one", "crit": critical, "b64": true });
        let token = both.signer.sign(&header, &claims());
        both.refuse(&header.to_string(), &token, Fault::CriticalExtension).await;
    }
}

#[tokio::test]
async fn a_department_is_a_claim_or_else_the_subjects() {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksFile(file));
    issuer.department_of_subject.insert("zhang".to_owned(), "health".to_owned());
    let department_by = async |issuer: IssuerConfig, claims: Value| {
        let config = config_of(vec![issuer]);
        let access = Access::new(config, Clock::fixed(noon())).unwrap();
        let caller = access.caller(&signer.sign(&signer.header(), &claims)).await.unwrap();
        caller.department().map(str::to_owned)
    };
    let of = async |claim: Value| department_by(issuer.clone(), claims_with("department", claim)).await;
    assert_eq!(of(json!("water")).await.as_deref(), Some("water"), "the claim comes first");
    assert_eq!(of(Value::Null).await.as_deref(), Some("health"), "zhang's");
    assert_eq!(of(json!(["water"])).await.as_deref(), Some("water"), "a list of one");
    // The setting for the subject does not replace a claim that is not one text.
    for other in [json!(["water", "health"]), json!([]), json!(9), json!({ "water": true })] {
        assert_eq!(of(other).await, None);
    }
    let mut stranger = claims();
    stranger["sub"] = json!("li");
    assert_eq!(department_by(issuer.clone(), stranger).await, None);
    let named = IssuerConfig { department_claim: "dept".to_owned(), ..issuer.clone() };
    assert_eq!(department_by(named, claims_with("dept", json!("education"))).await.as_deref(), Some("education"));
}

#[tokio::test]
async fn a_bearer_who_may_do_nothing_is_in_the_log_once() {
    let signer = Signer::new("one", 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
    let nested = |issuer: &mut IssuerConfig| issuer.roles_claim = "realm_access.roles".to_owned();
    for (realm_access, said) in [
        (json!(null), "there is no such claim"),
        (json!({}), "there is no such claim"),
        (json!({ "roles": { "county": true } }), "neither a text nor a list of texts"),
        (json!({ "roles": true }), "neither a text nor a list of texts"),
        (json!({ "roles": ["offline_access", "县级"] }), "none of its roles is one of access.roles"),
        (json!({ "roles": [] }), "none of its roles is one of access.roles"),
    ] {
        let mut issuer = IssuerConfig::new(ISSUER, KeySource::JwksFile(file.clone()));
        nested(&mut issuer);
        let config = config_of(vec![issuer]);
        let access = Access::new(config, Clock::fixed(noon())).unwrap();
        let lines = Lines::from(tracing::Level::WARN);
        for number in 0..20 {
            let mut claims = claims_with("realm_access", realm_access.clone());
            claims["jti"] = json!(number);
            let caller = access.caller(&signer.sign(&signer.header(), &claims)).await.unwrap();
            assert!(caller.permissions().is_empty());
        }
        let text = lines.text();
        assert_eq!(lines.with(said), 1, "{realm_access}: {text}");
        assert!(text.contains(ISSUER) && text.contains("realm_access.roles") && !text.contains("zhang"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    // One of our roles is enough.
    let lines = Lines::from(tracing::Level::WARN);
    let some = json!({ "roles": ["offline_access", "county"] });
    assert!(called(nested, claims_with("realm_access", some)).await.unwrap().may("shop.order.approve"));
    assert_eq!(lines.text(), "");
}

#[test]
fn an_issuer_is_there_once() {
    let both = Both::new();
    let file = both.folder.path().join("keys.json");
    let issuers = vec![IssuerConfig::new(ISSUER, KeySource::JwksFile(file)); 2];
    let config = config_of(issuers);
    let refused = Access::new(config, Clock::fixed(noon())).map(drop).unwrap_err().to_string();
    assert!(refused.contains(ISSUER) && refused.contains("is there twice"), "{refused}");
}

/// Anybody can write anything into `iss`; it is never trusted.
#[tokio::test]
async fn an_unknown_issuer_is_shown_if_it_is_one_by_its_looks() {
    let both = Both::new();
    for (iss, is_shown) in [
        ("https://other.example/realms/a", true),
        ("13800138000", false),
        ("https://other.example/441823198501039999", false),
        ("https://other.example/11010519491231002X", false),
        ("张三", false),
        ("a b", false),
    ] {
        let mut claims = claims();
        claims["iss"] = json!(iss);
        let token = both.signer.sign(&both.signer.header(), &claims);
        let refused = both.doors[0].caller(&token).await.unwrap_err();
        assert_eq!((refused.fault, refused.detail.contains(iss)), (Fault::IssuerUnknown, is_shown), "{refused}");
    }
}
