//! `tongxin token --inspect`: what a token says, what that means here, and why it is refused.

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
use crate::{settings::Settings, table};

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
        Err(refused) => bail!("the token is refused: {refused} [{}]", refused.fault.code()),
    }
}

/// Reads a token as people keep it: with blanks around it, or as the header that carries it.
fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        stdin().read_to_string(&mut text).context("cannot read the token from standard input")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("cannot read the token in {}", file.display()))?;
    }
    let text = text.trim();
    let token = text.rsplit_once(char::is_whitespace).map_or(text, |(_, token)| token);
    if token.is_empty() {
        bail!("there is no token in {}", file.display());
    }
    Ok(token.to_owned())
}

/// Whose tokens are good: by a file of settings, or as `tongxin up` has it.
fn config(settings: Option<&Path>, data_dir: &Path) -> Result<AccessConfig> {
    if settings.is_some() {
        return Ok(Settings::load(settings)?.access);
    }
    let issuer = IssuerConfig { may_be_national: true, ..own_key(data_dir)?.issuer() };
    Ok(AccessConfig { issuers: vec![issuer], ..AccessConfig::default() })
}

fn text(explanation: &Explanation) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let fields = |part: &Option<serde_json::Map<String, Value>>| match part {
        Some(fields) => fields.iter().map(|(name, value)| row(name, value.to_string())).collect(),
        None => vec![row("", "cannot be read: it is not JSON in base64url".to_owned())],
    };
    let mut text = format!("Header\n{}Claims\n", table::render(&fields(&explanation.header), &[]));
    text += &table::render(&fields(&explanation.claims), &[]);
    text += "What they mean here\n";
    let mut rows = Vec::new();
    match &explanation.issuer {
        Some(issuer) => rows.push(row("issuer", issuer.clone())),
        None => rows.push(row("issuer", "none of the settings".to_owned())),
    }
    if let Some(said) = &explanation.said {
        rows.push(row("subject", said.subject.clone()));
        let region =
            said.region.as_ref().map_or_else(|refused| format!("none: {}", refused.detail), ToString::to_string);
        rows.push(row("region", region));
        rows.push(row("roles", roles(explanation, said)));
        rows.push(row("department", said.department.clone().unwrap_or_else(|| "none".to_owned())));
    }
    if explanation.said.is_some() {
        let may = if explanation.verdict.is_ok() { "may" } else { "might, were it good" };
        let permissions = &explanation.permissions;
        rows.push(row(may, if permissions.is_empty() { "nothing".to_owned() } else { permissions.join(", ") }));
    }
    match &explanation.verdict {
        Ok(_) => rows.push(row("verdict", "good".to_owned())),
        Err(refused) => rows.push(row("verdict", format!("refused: {refused} [{}]", refused.fault.code()))),
    }
    text + &table::render(&rows, &[])
}

fn roles(explanation: &Explanation, said: &Said) -> String {
    match said.roles_claim {
        RolesClaim::Missing => {
            return "none: there is no claim of roles where the settings look for it (roles_claim)".to_owned();
        }
        RolesClaim::Malformed if said.roles.is_empty() => {
            return "none: what is where the settings look for roles (roles_claim) is neither a text nor a list of texts".to_owned();
        }
        RolesClaim::Malformed | RolesClaim::Stated => {}
    }
    let named = |role: &String| {
        if explanation.known_roles.contains(role) { role.clone() } else { format!("{role} (no such role here)") }
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

    /// What is said of a token that was good for an hour a day ago, by changed settings.
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
        // Nobody listens there.
        let (text, _) = said(|issuer| issuer.keys = KeySource::JwksUrl("http://127.0.0.1:1/keys".into())).await;
        assert!(text.contains("KEYS_UNAVAILABLE") && text.contains("cannot fetch the key set"), "{text}");
        assert!(text.to_lowercase().contains("refused"), "{text}");
    }
}
