//! Keys of other kinds than Ed25519. The private ones no longer exist: the tokens were signed once, with the claims of
//! a valid token.

use tempfile::TempDir;

use super::*;

/// RSA, 2048 bits.
const RSA_JWK: &str = "\
    {\"kty\": \"RSA\", \"kid\": \"rsa\", \"alg\": \"RS256\", \"use\": \"sig\", \"n\": \"rMyfL5shPL0tUZlxRtkoE0_t\
    elmsqlZYQjrZZ0oPI4NSAizvVR6OxAvsUQiGqYUQkqOG-BGY7aJZiS74yFOl_aAd16LKA6TVJ2MQ2Wkktykj8MkTsHoZkK7TzMD3m824RTEi\
    EBfEN4SRY-BrWF6b4zac-TmtN1ijo_qj_UOIzjyqDSFRwxM7C2UbtklMnC4Ym3Ps1rabGq6C1jCT-M0O4TzDJvKcIB6vSgPt9XKN9b1zxscJ\
    XV_N0YS7pwetCnxh26BImcxLhZEA7EQ_whEUF2Vl-FkqNCUw5Ruu5vsH7sdyB_v4OPnwJaFTyFpbGbGlPSPyUDM2cjEzW-2nuXwX_w\", \"\
    e\": \"AQAB\"}";

/// RS256.
const RSA_TOKEN: &str = "\
    eyJhbGciOiAiUlMyNTYiLCAidHlwIjogIkpXVCIsICJraWQiOiAicnNhIn0.eyJpc3MiOiAiaHR0cHM6Ly9wZW9wbGUuZXhhbXBsZSIsICJh\
    dWQiOiAidG9uZ3hpbiIsICJzdWIiOiAiemhhbmciLCAicm9sZXMiOiBbImNvdW50eSJdLCAicmVnaW9uIjogIjQ0MTgyMzAwMDAwMCIsICJu\
    YmYiOiAxNzQ4NzUwMzk1LCAiZXhwIjogMTc0ODc1MTAwMH0.X1VF2XkzApmS1HqbVB6NnfinqJqFtoRw9WJ_rPImJ2V5sAYWCo1OWdIx1QBs\
    TbYigj2l-njTiMPyr-JArS4RVFBwzQoRZwchtox67syO2_s6zYgRU_Q_ASfbmqN7tAym3TTai1n6CfPKTh_b8W_AN9L06TDwSJ3j9xPUhpKl\
    HUbIihgw_m78ceDFTD6yWZ6eY5ONcPdkvCSAT0RG75Yd1lvTS-LcnOZkDu0bZBOvwVQB3oo39wvUhO6uU8LM65SC62endFmXLQ3TeRR-SDKg\
    Ml6jQQ8buk2ppXyiM78W9Vak0ze5zgcD93U7I4uxSTyVtw9eBxZ1hy4RdRu4xynFvA";

const RSA_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArMyfL5shPL0tUZlxRtko
E0/telmsqlZYQjrZZ0oPI4NSAizvVR6OxAvsUQiGqYUQkqOG+BGY7aJZiS74yFOl
/aAd16LKA6TVJ2MQ2Wkktykj8MkTsHoZkK7TzMD3m824RTEiEBfEN4SRY+BrWF6b
4zac+TmtN1ijo/qj/UOIzjyqDSFRwxM7C2UbtklMnC4Ym3Ps1rabGq6C1jCT+M0O
4TzDJvKcIB6vSgPt9XKN9b1zxscJXV/N0YS7pwetCnxh26BImcxLhZEA7EQ/whEU
F2Vl+FkqNCUw5Ruu5vsH7sdyB/v4OPnwJaFTyFpbGbGlPSPyUDM2cjEzW+2nuXwX
/wIDAQAB
-----END PUBLIC KEY-----
";

/// Elliptic curve P-256.
const P256_JWK: &str = "\
    {\"kty\": \"EC\", \"crv\": \"P-256\", \"kid\": \"p256\", \"alg\": \"ES256\", \"use\": \"sig\", \"x\": \"LquC\
    0R8lvcK7yNL-0JaKUN2BGHxS8TD1gdEUSo0e3h8\", \"y\": \"ojRgDJVaY27Aka2pAvMKPpy0hTHKr_Il7cOJJlpIu80\"}";

/// ES256.
const P256_TOKEN: &str = "\
    eyJhbGciOiAiRVMyNTYiLCAidHlwIjogIkpXVCIsICJraWQiOiAicDI1NiJ9.eyJpc3MiOiAiaHR0cHM6Ly9wZW9wbGUuZXhhbXBsZSIsICJ\
    hdWQiOiAidG9uZ3hpbiIsICJzdWIiOiAiemhhbmciLCAicm9sZXMiOiBbImNvdW50eSJdLCAicmVnaW9uIjogIjQ0MTgyMzAwMDAwMCIsICJ\
    uYmYiOiAxNzQ4NzUwMzk1LCAiZXhwIjogMTc0ODc1MTAwMH0.xbIPGgJjy-mzEPRM8yJTQV_VatZOA8Q7eWhAOg4mWV2tXR09YTx70jhOe0L\
    KNSW5ahyPTP4zHyVnyIiz4ijNJA";

const P256_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELquC0R8lvcK7yNL+0JaKUN2BGHxS
8TD1gdEUSo0e3h+iNGAMlVpjbsCRrakC8wo+nLSFMcqv8iXtw4kmWki7zQ==
-----END PUBLIC KEY-----
";

/// Elliptic curve P-384.
const P384_JWK: &str = "\
    {\"kty\": \"EC\", \"crv\": \"P-384\", \"kid\": \"p384\", \"alg\": \"ES384\", \"use\": \"sig\", \"x\": \"nVqC\
    fm4BCkiPD17DUNjHiz9P9bK7f2GDu3P8E1lxZKIPpWK2NSYa2AhJVa4SgmMz\", \"y\": \"7sgYkXKg6OoS4D_HoB_YNEeET9fn37bnc-B\
    eiVP5a7Y7M2sfo6vgGhDWIv37LD6s\"}";

/// ES384.
const P384_TOKEN: &str = "\
    eyJhbGciOiAiRVMzODQiLCAidHlwIjogIkpXVCIsICJraWQiOiAicDM4NCJ9.eyJpc3MiOiAiaHR0cHM6Ly9wZW9wbGUuZXhhbXBsZSIsICJ\
    hdWQiOiAidG9uZ3hpbiIsICJzdWIiOiAiemhhbmciLCAicm9sZXMiOiBbImNvdW50eSJdLCAicmVnaW9uIjogIjQ0MTgyMzAwMDAwMCIsICJ\
    uYmYiOiAxNzQ4NzUwMzk1LCAiZXhwIjogMTc0ODc1MTAwMH0.XKtRf9oh8IYn6P3S1N1xLYVtLyleJ2UYwmst25LsHhGKRQUh1fN3uyDTJFh\
    Fb-JNX6j-iMPhd2fUcPzqg8AoENftzapNLcZ9A_TOw8EjS0CxJqRFery2r9ZQVg9XbTqf";

const P384_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEnVqCfm4BCkiPD17DUNjHiz9P9bK7f2GD
u3P8E1lxZKIPpWK2NSYa2AhJVa4SgmMz7sgYkXKg6OoS4D/HoB/YNEeET9fn37bn
c+BeiVP5a7Y7M2sfo6vgGhDWIv37LD6s
-----END PUBLIC KEY-----
";

/// RSA for PS256, 2048 bits.
const PSS_JWK: &str = "\
    {\"kty\": \"RSA\", \"kid\": \"pss\", \"alg\": \"PS256\", \"use\": \"sig\", \"n\": \"v5Y6dg8e94b9LOtbel5eunvR\
    BfCJF1ch-Z8qSVCDz41ZUl4DqRwIYWLs5A0ofza2XgJBbRuxCQRxB-SVxS4CBn_UhIJTeE7BMhEGpYhUMBQ_bce-iR4PtyisO_BTkiblMY7s\
    TNCf4A4NAFV_TGgZCF7xDXgzSdKuhJMvaPijtY_MfRhKHH--adiIKosfxVEwH5O4TCPKatR0MZFMk9BmnNcDDcqM0StIIQtcUAXz2QKK5aSv\
    ZfIiP_Uy8GHiORIF9QDviScZDqugEx80zmWnqORaGjNXBjp_Wm65jWmEV8pLbElbRqJbltHY8Jax-oe5kLHlCreFiMoK26yZhm8Yjw\", \"\
    e\": \"AQAB\"}";

/// PS256.
const PSS_TOKEN: &str = "\
    eyJhbGciOiAiUFMyNTYiLCAidHlwIjogIkpXVCIsICJraWQiOiAicHNzIn0.eyJpc3MiOiAiaHR0cHM6Ly9wZW9wbGUuZXhhbXBsZSIsICJh\
    dWQiOiAidG9uZ3hpbiIsICJzdWIiOiAiemhhbmciLCAicm9sZXMiOiBbImNvdW50eSJdLCAicmVnaW9uIjogIjQ0MTgyMzAwMDAwMCIsICJu\
    YmYiOiAxNzQ4NzUwMzk1LCAiZXhwIjogMTc0ODc1MTAwMH0.r5Oeoq8kjCHv6xcohtYWRdKGxvqjubTuMGJ0pYNLExm6hXNDdxaGUsX0y8mH\
    hD3gtTRgKSG0Of7bQ4IMBOzjwHtm_cX856HmLyhkHKWtNA3AhyJLSHMD-bnSz8-Lx_lJDT5QFr4swZ71Ni9cI813QR8SqbBj5MH8Mm5WK0sv\
    QkYIYj_17JaIJFoPO6-HBLDUd5km-c-D80SDR15OrENmODJdT-rrhaCFm4B5OUS75kmW8OlHr6pSVJ6fmi5VMjM0Z_pWU18rP7QcNgyFElnv\
    XT3-jccRbbiBEhoDQnA0d795N_KbaGHnleMvzBtAOt0G6JcZim-DcY67lS6BorzeRA";

/// The same.
const PSS_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAv5Y6dg8e94b9LOtbel5e
unvRBfCJF1ch+Z8qSVCDz41ZUl4DqRwIYWLs5A0ofza2XgJBbRuxCQRxB+SVxS4C
Bn/UhIJTeE7BMhEGpYhUMBQ/bce+iR4PtyisO/BTkiblMY7sTNCf4A4NAFV/TGgZ
CF7xDXgzSdKuhJMvaPijtY/MfRhKHH++adiIKosfxVEwH5O4TCPKatR0MZFMk9Bm
nNcDDcqM0StIIQtcUAXz2QKK5aSvZfIiP/Uy8GHiORIF9QDviScZDqugEx80zmWn
qORaGjNXBjp/Wm65jWmEV8pLbElbRqJbltHY8Jax+oe5kLHlCreFiMoK26yZhm8Y
jwIDAQAB
-----END PUBLIC KEY-----
";

/// RSA, 1024 bits.
const SHORT_RSA_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDcWsWoIUEvP2pTFZShFVlweDJj
vANqsEqIVWlI4K0sxkqLcKVhYusVWLcXFT1//DI4H+OQ3KDYBe92cDbf8EijMiRf
7xfZ3miSCKSmP61WlvKeRyrXOirQf/ji+AUkFSDdi9scZsUzqe1dYfVL7aNXhnYA
otkU1nyC/N+fGscm7QIDAQAB
-----END PUBLIC KEY-----
";

/// RSA, 4608 bits.
const LONG_RSA_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIICYjANBgkqhkiG9w0BAQEFAAOCAk8AMIICSgKCAkEAnOqa7Ab6S+HPAIeSrm4f
3tl1yqzPOIRuJmk0urMUT4juai6qs9h2iA9OARU8t1n8nxa20FS0JfaH+Yjy5zWo
U7af2rSDbonamJcaTHbsmR9bj9Tru432J4vghOEZgLHu2BMsKxhR3fIu2/kY9YUN
7UOXa1IqcgnoncQ4zIhH5/qESm+PciNYRbT7NbpYqwZiAJzBpvYKPnuCz09lFMhN
8eQxnnmfCQOKtbc9+t4SnoK7ty8n8AQIQS/WCeameJ87SVMWd6T9Tll3TXDpqnNF
Qf5YP1MQvXr3PRVl1VRNTmPOM8ZfXyXSjZdpC0BJKtlcmE5oHu5vQpduEz9Z+i8w
KYnulGnCVpVtAyVaC6P9Fxiq0t9pqcM6rnoZ9RxEXjlKj9OUIImoV+gfJbXPfnR3
90h3VKK3HeIQT9NBGddgDAMMDKWgTQ8S831SbzT414DhFnUnPZImcM3dOKK7jUYK
lILWfuuUXMZwBeV6acfXfVQfWyxgTzO3+lpwyYDnONH/HWtqaeD13OQd6kItb9zk
0IqhCt7xt0BkBbFtpBQmGRVSl6y4vuVwQx+1rvfa+Wkq4eVhElIzxpv48eXD3u1D
9V2oEY2I+wsRV4CEt0yPqkrGDALHjGVXEQFc3tEaP4Quesjvyj4AjcJhmdiWvHGt
NXjkmwQ1fS50HTmPQmPopXj3Z3SRSCuPLC45+ToHMoKrKRof/3HLkVSxgHDA2pOM
TvFrozCeP8XR8mTWYuzxjW+OAsrFv2Qb4K067DVaWLplAgMBAAE=
-----END PUBLIC KEY-----
";

fn set(keys: &[&str]) -> (TempDir, KeySource) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap();
    (folder, KeySource::JwksFile(file))
}

fn pem(key: &str) -> (TempDir, KeySource) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, key).unwrap();
    (folder, KeySource::PemFile(file))
}

async fn caller_by((_folder, source): (TempDir, KeySource), token: &str) -> Result<String, Fault> {
    let called = access_by(source).caller(token).await;
    called.map(|caller| caller.subject().to_owned()).map_err(|refused| refused.fault)
}

#[tokio::test]
async fn tokens_of_rsa_p256_and_p384_are_good() {
    let zhang = Ok("https://people.example|zhang".to_owned());
    for token in [RSA_TOKEN, PSS_TOKEN, P256_TOKEN, P384_TOKEN] {
        assert_eq!(caller_by(set(&[RSA_JWK, PSS_JWK, P256_JWK, P384_JWK]), token).await, zhang);
        let (content, signature) = token.rsplit_once('.').unwrap();
        let turned: String = signature.chars().rev().collect();
        let forged = format!("{content}.{turned}");
        assert_eq!(caller_by(set(&[RSA_JWK, PSS_JWK, P256_JWK, P384_JWK]), &forged).await, Err(Fault::Signature));
    }
    assert_eq!(caller_by(pem(RSA_PEM), RSA_TOKEN).await, zhang);
    assert_eq!(caller_by(pem(PSS_PEM), PSS_TOKEN).await, zhang);
    assert_eq!(caller_by(pem(P256_PEM), P256_TOKEN).await, zhang);
    assert_eq!(caller_by(pem(P384_PEM), P384_TOKEN).await, zhang);
    // A file with a single JWK.
    for (key, token) in [(RSA_JWK, RSA_TOKEN), (PSS_JWK, PSS_TOKEN), (P256_JWK, P256_TOKEN), (P384_JWK, P384_TOKEN)] {
        let (folder, source) = pem(key);
        let KeySource::PemFile(file) = source else { unreachable!() };
        assert_eq!(caller_by((folder, KeySource::JwksFile(file)), token).await, zhang);
    }
}

#[tokio::test]
async fn a_key_is_for_tokens_of_its_own_algorithm() {
    for (key, token) in [(RSA_PEM, P256_TOKEN), (P256_PEM, RSA_TOKEN), (P256_PEM, P384_TOKEN)] {
        assert_eq!(caller_by(pem(key), token).await, Err(Fault::Algorithm));
    }
    let as_pkcs1 = PSS_JWK.replace("PS256", "RS256");
    assert_eq!(caller_by(set(&[&as_pkcs1]), PSS_TOKEN).await, Err(Fault::Algorithm));
    // With the name of another key of the set.
    let renamed = P256_JWK.replace("p256", "rsa");
    assert_eq!(caller_by(set(&[&renamed]), RSA_TOKEN).await, Err(Fault::Algorithm));
}

#[tokio::test]
async fn a_curve_is_not_taken_for_another() {
    let claimed = P384_JWK.replace("ES384", "ES256");
    assert_eq!(caller_by(set(&[&claimed, P256_JWK]), P384_TOKEN).await, Err(Fault::Algorithm));
    assert_eq!(caller_by(pem(P384_PEM), P256_TOKEN).await, Err(Fault::Algorithm));
    let (_folder, source) = pem(&P384_PEM.replace("YFK4EEACIDYgAE", "YFK4EEACMDYgAE"));
    let config = AccessConfig { issuers: vec![IssuerConfig::new(ISSUER, source)], ..AccessConfig::default() };
    let refused = Access::new(config, Clock::fixed(noon())).err().unwrap();
    assert!(refused.to_string().contains("holds no Ed25519, P-256, P-384 or RSA public key"), "{refused}");
}

/// RSA keys are for RS256 and PS256, unless the key names one of them.
#[tokio::test]
async fn a_key_that_says_its_algorithm_is_for_no_other() {
    let of_any = RSA_JWK.replace("\"alg\": \"RS256\", ", "");
    assert!(of_any.len() < RSA_JWK.len());
    assert!(caller_by(set(&[&of_any]), RSA_TOKEN).await.is_ok());
    for stated in ["PS256", "RS512", "RSA-OAEP", "something new"] {
        let key = RSA_JWK.replace("RS256", stated);
        assert_eq!(caller_by(set(&[&key, P256_JWK]), RSA_TOKEN).await, Err(Fault::Algorithm), "{stated}");
    }
}

#[test]
fn a_file_without_a_public_key_of_use_says_what_to_do() {
    let refusal = |key: &str| {
        let (_folder, source) = pem(key);
        let config = AccessConfig { issuers: vec![IssuerConfig::new(ISSUER, source)], ..AccessConfig::default() };
        Access::new(config, Clock::fixed(noon())).map(drop).unwrap_err().to_string()
    };
    for (key, said) in [
        (RSA_PEM.replace("PUBLIC KEY", "RSA PRIVATE KEY").as_str(), "holds a private key"),
        (&rcgen::KeyPair::generate().unwrap().serialize_pem(), "holds a private key"),
        (SHORT_RSA_PEM, "an RSA key of 1024 bits: 2048 to 4096 are taken"),
        (LONG_RSA_PEM, "an RSA key of 4608 bits: 2048 to 4096 are taken"),
        // A point of another curve.
        (&P256_PEM.replace("LquC", "Lqu0"), "cannot be used"),
        ("-----BEGIN PUBLIC KEY-----\n", "holds no Ed25519, P-256, P-384 or RSA public key"),
        ("", "holds no Ed25519, P-256, P-384 or RSA public key"),
    ] {
        let refused = refusal(key);
        assert!(refused.contains(said), "{said}: {refused}");
    }
}
