//! Claims as identity providers write them. Each is a file, in which `T` is now and `T+300` five minutes later.

use std::path::PathBuf;

use super::*;

const OF_FILES: &str = "https://sso.example/realms/demo";

/// The claims of a file at a moment.
fn claims_of(name: &str, now: i64) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/access/tests/claims").join(name);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut parts = text.split("\"T");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (offset, rest) = part.split_once('"').unwrap();
        let (seconds, fraction) = offset.split_once('.').map_or((offset, None), |(left, right)| (left, Some(right)));
        let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
        let moment = now + seconds.parse::<i64>().unwrap_or_default();
        whole.extend([moment.to_string().as_str(), &fraction, rest]);
    }
    whole
}

struct Door {
    signer: Signer,
    access: Access,
    _folder: tempfile::TempDir,
}

impl Door {
    fn new(roles_claim: &str) -> Self {
        let (signer, folder) = (Signer::new("k1", 1), tempfile::tempdir().unwrap());
        let file = folder.path().join("jwks.json");
        std::fs::write(&file, json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
        let mut issuer = IssuerConfig::new(OF_FILES, KeySource::JwksFile(file));
        issuer.roles_claim = roles_claim.to_owned();
        let config = config_of(vec![issuer]);
        Self { signer, access: Access::new(config, Clock::fixed(noon())).unwrap(), _folder: folder }
    }

    async fn caller(&self, name: &str, typ: Option<&str>) -> Result<Caller, TokenRefused> {
        let header = match typ {
            Some(typ) => json!({ "alg": "EdDSA", "kid": "k1", "typ": typ }),
            None => json!({ "alg": "EdDSA", "kid": "k1" }),
        };
        // As it is written: a number may become another one if it is read and written again.
        let claims = claims_of(name, noon().timestamp());
        let content = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signer.key.sign(content.as_bytes()).to_bytes();
        self.access.caller(&format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))).await
    }
}

#[tokio::test]
async fn times_may_have_fractions_and_nbf_may_be_missing() {
    let door = Door::new("roles");
    for name in [
        "good",
        "no_nbf",
        "exp_with_fraction",
        "nbf_with_fraction",
        "exp_whole_as_float",
        "both_with_fractions",
        "no_iat_and_audiences_in_a_list",
    ] {
        let caller = door.caller(&format!("times/{name}.json"), Some("JWT")).await;
        assert!(caller.unwrap_or_else(|refused| panic!("{name}: {refused}")).may("shop.order.approve"), "{name}");
    }
    for typ in [Some("jwt"), Some("application/at+jwt"), Some("AT+JWT"), None] {
        door.caller("times/good.json", typ).await.unwrap();
    }
}

#[tokio::test]
async fn times_that_are_none_are_refused_with_claim_and_issuer() {
    let door = Door::new("roles");
    for (name, fault, claim) in [
        ("refused_exp_missing", Fault::ClaimMissing, "exp"),
        ("refused_exp_text", Fault::ClaimMalformed, "exp"),
        ("refused_exp_null", Fault::ClaimMalformed, "exp"),
        ("refused_exp_in_a_list", Fault::ClaimMalformed, "exp"),
        ("refused_exp_negative", Fault::Expired, "exp"),
        ("refused_nbf_in_an_hour", Fault::NotYetValid, "nbf"),
        ("refused_nbf_text", Fault::ClaimMalformed, "nbf"),
    ] {
        let refused = door.caller(&format!("times/{name}.json"), Some("JWT")).await.unwrap_err();
        assert_eq!((refused.fault, refused.issuer.as_deref()), (fault, Some(OF_FILES)), "{name}");
        assert!(refused.detail.contains(claim), "{name}: {refused}");
    }
}

#[tokio::test]
async fn roles_and_regions_are_where_the_settings_say() {
    for (roles_claim, name, may) in [
        ("realm_access.roles", "nested_roles", true),
        ("realm_access.roles", "literal_name_wins", true),
        ("https://sso.example/roles", "claim_name_with_dots", true),
        ("resource_access.board.example.roles", "roles_of_a_client_with_a_dot", true),
        ("roles", "region_as_list", true),
        ("realm_access.roles", "claim_missing", false),
        ("realm_access.roles", "nested_roles_no_list", false),
        ("realm_access.roles", "nested_roles_unknown", false),
    ] {
        let lines = Lines::from(tracing::Level::WARN);
        let caller = Door::new(roles_claim).caller(&format!("roles/{name}.json"), Some("JWT")).await.unwrap();
        let found = (caller.may("shop.order.approve"), caller.may("shop.price.set"));
        assert_eq!(found, (may, false), "a county and no more: {name}");
        assert_eq!(caller.region().to_string(), "441823000000", "{name}");
        let said = [OF_FILES, roles_claim, "may do nothing"].iter().all(|part| lines.with(part) == 1);
        assert_eq!(said, !may, "{name}: {}", lines.text());
    }
    for name in ["region_as_list_of_two", "region_in_a_list_in_a_list"] {
        let refused = Door::new("roles").caller(&format!("roles/{name}.json"), Some("JWT")).await.unwrap_err();
        assert_eq!((refused.fault, refused.detail.as_str()), (Fault::Region, "region has to be one text"), "{name}");
    }
}
