//! `tongxin token`: signs a token with the key of a data folder, or explains one.

mod inspect;
mod key;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use tongxin_platform::{
    access::{AccessConfig, TokenRequest},
    clock::Clock,
    region::RegionCode,
};
use tongxin_proto::{monitoring::v1::Department, text::tidy_code, words::Word as _};

use key::own_key;

use super::no_region;
use crate::{instance::DATA_DIR, lang::told};

/// Signs a token for the services of `tongxin up`, and writes it to standard output; or explains a token of anybody.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin token --role village --region 441823107200 --subject zhang
  tongxin token --role department --department medical_insurance --region 441823000000
  curl -H \"authorization: Bearer $(tongxin token --role hq --region 441800000000)\" \\
       -H 'content-type: application/json' -d '{\"regionCode\":\"441800000000\"}' \\
       http://127.0.0.1:7400/tongxin.gateway.v1.GatewayService/GetScorecard
  tongxin token --inspect zhang.token --config tongxin.toml     why is it refused?
  kubectl create token aid --audience tongxin | tongxin token --inspect - --config tongxin.toml --json")]
pub struct Args {
    /// What the bearer may do: hq, county, town, village, department, auditor, operator; may be given several times
    #[arg(long = "role", value_name = "ROLE", required_unless_present = "inspect", value_parser = role)]
    roles: Vec<String>,

    /// Where the bearer may do it, 12-digit code; 000000000000 is the whole country
    #[arg(long, value_name = "CODE", required_unless_present = "inspect", value_parser = region)]
    region: Option<RegionCode>,

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

    /// Explains the token in a file, or from standard input (`-`): its claims, what they mean here, what its bearer may
    /// do, and why it is refused. Exit code 1 for one that is refused
    #[arg(long, value_name = "FILE", conflicts_with_all = ["roles", "region", "department", "subject", "days"])]
    inspect: Option<PathBuf>,

    /// Settings by which it is explained, TOML or YAML; those of `tongxin up` otherwise
    #[arg(long, value_name = "FILE", requires = "inspect")]
    config: Option<PathBuf>,

    /// The explanation for programs
    #[arg(long, requires = "inspect")]
    json: bool,
}

fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse_of_caller(&tidy_code(text)).map_err(|error| no_region(text, &error))
}

/// Accepts the roles that `tongxin up` knows.
fn role(text: &str) -> Result<String, String> {
    let known = AccessConfig::default().roles;
    if known.contains_key(text) {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = known.keys().map(String::as_str).collect();
    Err(told!("there are: {}", "可用的有 {}", names.join(", ")))
}

/// Accepts the name for people, and the contract's name.
fn department(text: &str) -> Result<Department, String> {
    let word = text.to_ascii_lowercase();
    super::department(word.strip_prefix("department_").unwrap_or(&word))
}

pub async fn run(args: &Args) -> Result<()> {
    if let Some(file) = &args.inspect {
        return inspect::run(file, args.config.as_deref(), &args.data_dir, args.json).await;
    }
    // The command line requires both.
    let Some(region) = args.region else { bail!(told!("--region is needed", "需要填写 --region")) };
    say!("{}", sign(args, region)?)?;
    Ok(())
}

fn sign(args: &Args, region: RegionCode) -> Result<String> {
    let key = own_key(&args.data_dir)?;
    let request = TokenRequest {
        subject: args.subject.clone().unwrap_or_else(|| args.roles.join("+")),
        roles: args.roles.clone(),
        region,
        department: args.department.map(|department| department.word().to_owned()),
        lifetime: Duration::from_hours(24) * args.days,
    };
    Ok(key.sign(&request, &Clock::system())?)
}
