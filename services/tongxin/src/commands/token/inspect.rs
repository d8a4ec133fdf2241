//! `tongxin token --inspect`: what a token says, what that means here, and why it is refused.

use std::{
    fs,
    io::{Read as _, stdin},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tongxin_platform::{
    access::{Access, AccessConfig, Explanation, IssuerConfig, Said},
    clock::Clock,
    config,
};

use super::own_key;
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
        return Ok(config::load::<Settings>(settings)?.access);
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
        rows.push(row("region", said.region.to_string()));
        rows.push(row("roles", roles(explanation, said)));
        rows.push(row("department", said.department.clone().unwrap_or_else(|| "none".to_owned())));
    }
    match &explanation.verdict {
        Ok(caller) => {
            rows.push(row("may", caller.permissions().join(", ")));
            rows.push(row("verdict", "good".to_owned()));
        }
        Err(refused) => rows.push(row("verdict", format!("refused: {refused} [{}]", refused.fault.code()))),
    }
    text + &table::render(&rows, &[])
}

fn roles(explanation: &Explanation, said: &Said) -> String {
    if !said.states_roles {
        return "none: there is no claim of roles where the settings look for it (roles_claim)".to_owned();
    }
    let named = |role: &String| {
        if explanation.known_roles.contains(role) { role.clone() } else { format!("{role} (no such role here)") }
    };
    said.roles.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn json(explanation: &Explanation) -> Value {
    let Explanation { header, claims, issuer, said, known_roles, verdict } = explanation;
    let unknown =
        |said: &Said| -> Vec<_> { said.roles.iter().filter(|role| !known_roles.contains(role)).cloned().collect() };
    json!({
        "header": header,
        "claims": claims,
        "issuer": issuer,
        "meaning": said.as_ref().map(|said| json!({
            "subject": said.subject,
            "region": said.region,
            "roles": said.roles,
            "unknown_roles": unknown(said),
            "states_roles": said.states_roles,
            "department": said.department,
        })),
        "permissions": verdict.as_ref().ok().map(tongxin_platform::access::Caller::permissions),
        "refused": verdict.as_ref().err().map(|refused| json!({
            "reason": refused.fault.code(),
            "detail": refused.detail,
        })),
    })
}
