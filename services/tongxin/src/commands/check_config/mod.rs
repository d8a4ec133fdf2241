//! `tongxin check-config`: effective settings, and all faults of a configuration.

mod effective;
mod faults;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{lang::told, settings::Settings};

/// Shows the settings that a file and the environment come to, defaults included and secrets masked.
///
/// Lists everything that is wrong: one line for each section that cannot be read, key file that is missing, certificate that has
/// expired or is not that of its key, URL or log directive that is none, and permission that no service knows. Starts nothing and connects to nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin check-config tongxin.toml
  TONGXIN__NATS__URL=nats://nats:4222 tongxin check-config tongxin.toml --json")]
pub struct Args {
    /// Settings, TOML or YAML
    file: PathBuf,

    /// For programs
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let found = faults::find(&args.file);
    if !found.is_empty() {
        for fault in &found {
            note!("{}", told!("{}: {fault}", "{}：{fault}", args.file.display()));
        }
        let count = found.len();
        let things = if count == 1 { "thing is" } else { "things are" };
        bail!(told!("{count} {things} wrong with the settings", "设置有 {count} 处错误"));
    }
    let effective = Settings::load(Some(&args.file))?.shown()?;
    if args.json {
        say!("{effective:#}")?;
    } else {
        for line in effective::lines(&effective) {
            say!("{line}")?;
        }
    }
    Ok(())
}
