//! `tongxin token`: signs a token with the key of a data folder.

use std::{io::ErrorKind, path::PathBuf, time::Duration};

use anyhow::{Result, anyhow, bail};
use tongxin_platform::{
    access::{AccessConfig, LocalKey, LocalKeyError, TokenRequest},
    clock::Clock,
    region::RegionCode,
};
use tongxin_proto::monitoring::v1::Department;

use crate::{instance::DATA_DIR, words::Word};

/// Signs a token for the services of `tongxin up`, and writes it to standard output.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin token --role village --region 441823107200 --subject zhang
  tongxin token --role department --department medical_insurance --region 441823000000
  curl -H \"authorization: Bearer $(tongxin token --role hq --region 441800000000)\" \\
       -H 'content-type: application/json' -d '{\"regionCode\":\"441800000000\"}' \\
       http://127.0.0.1:7400/tongxin.gateway.v1.GatewayService/GetScorecard")]
pub struct Args {
    /// What the bearer may do: hq, county, town, village, department, auditor, operator; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
    roles: Vec<String>,

    /// Where the bearer may do it, 12-digit code; 000000000000 is the whole country
    #[arg(long, value_name = "CODE", value_parser = region)]
    region: RegionCode,

    /// Which department the bearer warns for, such as `medical_insurance`; without one nobody warns
    #[arg(long, value_name = "NAME", value_parser = department)]
    department: Option<Department>,

    /// Who the bearer is; the log names him
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// How long it is good
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,

    /// Folder of `tongxin up`, which has the key
    #[arg(long, value_name = "FOLDER", default_value = DATA_DIR)]
    data_dir: PathBuf,
}

/// Reads a region that a token may have.
fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse_of_caller(text).map_err(|error| error.to_string())
}

/// Reads a role that `tongxin up` knows.
fn role(text: &str) -> Result<String, String> {
    let known = AccessConfig::default().roles;
    if known.contains_key(text) {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = known.keys().map(String::as_str).collect();
    Err(format!("there are: {}", names.join(", ")))
}

/// Reads the name of a department as people write it, or as the contract does.
fn department(text: &str) -> Result<Department, String> {
    let word = text.to_ascii_lowercase();
    Department::named(word.strip_prefix("department_").unwrap_or(&word))
}

pub fn run(args: &Args) -> Result<()> {
    if !args.data_dir.is_dir() {
        bail!(
            "there is no data folder {}: start `tongxin up`, or name its folder with --data-dir",
            args.data_dir.display()
        );
    }
    let request = TokenRequest {
        subject: args.subject.clone().unwrap_or_else(|| args.roles.join("+")),
        roles: args.roles.clone(),
        region: args.region,
        department: args.department.map(Word::word),
        lifetime: Duration::from_hours(24) * args.days,
    };
    let key = LocalKey::of_folder(&args.data_dir).map_err(|error| match &error {
        LocalKeyError::File { source, .. } if source.kind() == ErrorKind::NotFound => {
            anyhow!("{} has no key yet: `tongxin up` makes one when it starts", args.data_dir.display())
        }
        _ => error.into(),
    })?;
    say!("{}", key.sign(&request, &Clock::system())?)?;
    Ok(())
}
