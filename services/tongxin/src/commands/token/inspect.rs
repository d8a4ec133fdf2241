//! `tongxin token --inspect`: a token's claims, what they mean here, and why it is refused.

use std::{
    fs,
    io::{Read as _, stdin},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tongxin_platform::{
    access::{Access, AccessConfig, Explanation, IssuerConfig, RolesClaim, Said},
    clock::Clock,
};

use super::key::own_key;
use crate::{lang::told, settings::Settings, table};

pub async fn run(file: &Path, settings: Option<&Path>, data_dir: &Path, as_json: bool) -> Result<()> {
    let token = read(file)?;
    let access = Access::new(config(settings, data_dir)?, Clock::system())?;
    let explanation = access.explain(&token).await;
    if as_json {
        say!("{:#}", json(&explanation))?;
    } else {
        say!("{}", text(&explanation).trim_end())?;
    }
    match &explanation.verdict {
        Ok(_) => Ok(()),
        Err(refused) => {
            bail!(told!("the token is refused: {refused} [{}]", "令牌被拒绝：{refused} [{}]", refused.fault.code()))
        }
    }
}

/// Accepts surrounding whitespace, and a whole `Authorization` header.
fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        stdin()
            .read_to_string(&mut text)
            .with_context(|| told!("cannot read the token from standard input", "无法从标准输入读取令牌"))?;
    } else {
        text = fs::read_to_string(file)
            .with_context(|| told!("cannot read the token in {}", "无法读取 {} 中的令牌", file.display()))?;
    }
    let text = text.trim();
    let token = text.rsplit_once(char::is_whitespace).map_or(text, |(_, token)| token);
    if token.is_empty() {
        bail!(told!("there is no token in {}", "{} 中没有令牌", file.display()));
    }
    Ok(token.to_owned())
}

/// The trusted issuers: of a settings file, or of `tongxin up`.
fn config(settings: Option<&Path>, data_dir: &Path) -> Result<AccessConfig> {
    if settings.is_some() {
        return Ok(Settings::load(settings)?.access);
    }
    let issuer = IssuerConfig { may_be_national: true, ..own_key(data_dir)?.issuer() };
    Ok(AccessConfig { issuers: vec![issuer], ..AccessConfig::default() })
}

fn text(explanation: &Explanation) -> String {
    let row = |name: String, value: String| vec![name, value];
    let fields = |part: &Option<serde_json::Map<String, Value>>| match part {
        Some(fields) => fields.iter().map(|(name, value)| row(name.clone(), value.to_string())).collect(),
        None => vec![row(
            String::new(),
            told!("cannot be read: it is not JSON in base64url", "读不懂：不是以 base64url 写成的 JSON"),
        )],
    };
    let [header, claims] = [&explanation.header, &explanation.claims].map(|part| table::render(&fields(part), &[]));
    let mut rows = Vec::new();
    let issuer = explanation.issuer.clone().unwrap_or_else(|| told!("none of the settings", "设置中没有这个签发者"));
    rows.push(row(told!("issuer", "签发者"), issuer));
    if let Some(said) = &explanation.said {
        rows.push(row(told!("subject", "持有人"), said.subject.clone()));
        let region = match &said.region {
            Ok(region) => region.to_string(),
            Err(refused) => told!("none: {}", "无：{}", refused.detail),
        };
        rows.push(row(told!("region", "管辖区划"), region));
        rows.push(row(told!("roles", "角色"), roles(explanation, said)));
        let department = said.department.clone().unwrap_or_else(|| told!("none", "无"));
        rows.push(row(told!("department", "部门"), department));
        let may = if explanation.verdict.is_ok() {
            told!("may", "可以")
        } else {
            told!("might, were it good", "有效时可以")
        };
        let permissions = &explanation.permissions;
        let permitted =
            if permissions.is_empty() { told!("nothing", "什么都不能做") } else { permissions.join(", ") };
        rows.push(row(may, permitted));
    }
    let verdict = match &explanation.verdict {
        Ok(_) => told!("good", "有效"),
        Err(refused) => told!("refused: {refused} [{}]", "被拒绝：{refused} [{}]", refused.fault.code()),
    };
    rows.push(row(told!("verdict", "结论"), verdict));
    let meaning = table::render(&rows, &[]);
    told!(
        "Header\n{header}Claims\n{claims}What they mean here\n{meaning}",
        "令牌头\n{header}令牌内容\n{claims}在这里的含义\n{meaning}"
    )
}

fn roles(explanation: &Explanation, said: &Said) -> String {
    match said.roles_claim {
        RolesClaim::Missing => {
            return told!(
                "none: there is no claim of roles where the settings look for it (roles_claim)",
                "无：令牌里没有设置所指的角色字段（roles_claim）"
            );
        }
        RolesClaim::Malformed if said.roles.is_empty() => {
            return told!(
                "none: what is where the settings look for roles (roles_claim) is neither a text nor a list of texts",
                "无：设置所指的角色字段（roles_claim）既不是文字，也不是文字的列表"
            );
        }
        RolesClaim::Malformed | RolesClaim::Stated => {}
    }
    let named = |role: &String| {
        if explanation.known_roles.contains(role) {
            role.clone()
        } else {
            told!("{role} (no such role here)", "{role}（这里没有这个角色）")
        }
    };
    said.roles.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn json(explanation: &Explanation) -> Value {
    let Explanation { header, claims, issuer, said, known_roles, permissions, verdict } = explanation;
    let unknown =
        |said: &Said| -> Vec<_> { said.roles.iter().filter(|role| !known_roles.contains(role)).cloned().collect() };
    json!({
        "header": header,
        "claims": claims,
        "issuer": issuer,
        "meaning": said.as_ref().map(|said| json!({
            "subject": said.subject,
            "region": said.region.as_ref().ok(),
            "roles": said.roles,
            "unknown_roles": unknown(said),
            "states_roles": said.roles_claim == RolesClaim::Stated,
            "department": said.department,
        })),
        "permissions": said.as_ref().map(|_| permissions),
        "refused": verdict.as_ref().err().map(|refused| json!({
            "reason": refused.fault.code(),
            "detail": refused.detail,
        })),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;
    use tongxin_platform::{
        access::{KeySource, LocalKey, TokenRequest},
        region::RegionCode,
    };

    use super::*;

    /// The explanation of a token that expired a day ago, by changed settings.
    async fn said(change: impl FnOnce(&mut IssuerConfig)) -> (String, Value) {
        let folder = tempfile::tempdir().unwrap();
        let key = LocalKey::in_folder(folder.path()).unwrap();
        let request = TokenRequest {
            subject: "zhang".to_owned(),
            roles: vec!["village".to_owned(), "boss".to_owned()],
            region: RegionCode::parse("441823107200").unwrap(),
            department: None,
            lifetime: Duration::from_hours(1),
        };
        let token = key.sign(&request, &Clock::fixed(Clock::system().now() - TimeDelta::days(1))).unwrap();
        let mut issuer = key.issuer();
        change(&mut issuer);
        let config = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        let explanation = Access::new(config, Clock::system()).unwrap().explain(&token).await;
        (text(&explanation), json(&explanation))
    }

    #[tokio::test]
    async fn what_a_refused_token_says_is_explained_all_the_same() {
        let (text, json) = said(|_| {}).await;
        for part in ["village, boss (no such role here)", "441823107200", "might, were it good", "TOKEN_EXPIRED"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("monitoring.household.register"), "{text}");
        assert_eq!(json["refused"]["reason"], "TOKEN_EXPIRED");
        assert!(json["permissions"].as_array().unwrap().contains(&"monitoring.household.register".into()), "{json}");
    }

    #[tokio::test]
    async fn roles_are_explained_whatever_the_region_is() {
        let (text, json) = said(|issuer| issuer.region_claim = "sub".to_owned()).await;
        assert!(text.contains("village") && text.contains("sub is no region code"), "{text}");
        assert_eq!((&json["meaning"]["region"], &json["meaning"]["roles"][0]), (&Value::Null, &"village".into()));
        let (text, _) = said(|issuer| issuer.roles_claim = "exp".to_owned()).await;
        assert!(text.contains("neither a text nor a list of texts") && text.contains("nothing"), "{text}");
    }

    #[tokio::test]
    async fn keys_that_cannot_be_had_are_explained_by_why() {
        // No server listens there.
        let (text, _) = said(|issuer| issuer.keys = KeySource::JwksUrl("http://127.0.0.1:1/keys".into())).await;
        assert!(text.contains("KEYS_UNAVAILABLE") && text.contains("cannot fetch the key set"), "{text}");
        assert!(text.to_lowercase().contains("refused"), "{text}");
    }
}
