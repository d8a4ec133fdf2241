//! The program: every service, and the commands of operators.
//!
//! | file | |
//! |---|---|
//! | `commands`     | one file per subcommand |
//! | `services`     | the services that this program runs |
//! | `settings`     | the settings of a configuration file |
//! | `up`           | all services on one machine |
//! | `sample`       | the sample year: generated, loaded, compared with published figures |
//! | `instance`     | how other subcommands find a running `up` |
//! | `client`, `reach`, `unreachable` | calls to a gateway, and explanations of their errors |
//! | `rule_files`   | files with rule sets and holidays |
//! | `lang`         | the language in which commands speak |
//! | `figures`, `table`, `output`, `progress` | output for people |

#![warn(clippy::print_stdout, clippy::print_stderr)]

// First, because the others use its macros.
#[macro_use]
mod output;

mod client;
mod commands;
mod failure;
mod figures;
mod instance;
mod lang;
mod patience;
mod place;
mod progress;
mod quality_rules;
mod reach;
mod rule_files;
mod said;
mod sample;
mod services;
mod settings;
mod table;
mod unreachable;
mod up;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use commands::{
    audit, check, check_config, export, funnel, holidays, import, log, migrate, overdue, rules, scorecard, screen,
    serve, template, token,
};

/// tongxin (同心): the operations system of a rural-assistance command post.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, propagate_version = true)]
struct Cli {
    /// Language: zh or en; otherwise that of the system (LANG)
    #[arg(long, global = true, value_name = "LANGUAGE", value_parser = ["zh", "en"])]
    lang: Option<String>,

    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tongxin up --sample qingyuan-2025        all services on this machine, with the sample year
  tongxin scorecard 441800000000           the figures of Qingyuan, from the running `up`
  tongxin scorecard 441800000000 --gateway https://gateway.example --token-file token
                                           the same from another gateway, by TLS; --ca-file where its CA is a private one
  tongxin serve pairing --config t.toml    one service, as in production

Exit codes: 0 done, 1 failed, 2 wrongly called.";

/// The program with all of its commands.
fn program() -> clap::Command {
    Cli::command()
}

/// The arguments of this process. Their help is in the language that they ask for.
fn arguments() -> Cli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    lang::choose(&arguments, &locale());
    let program = if lang::lang() == lang::Lang::Zh { lang::translated(program()) } else { program() };
    let matches = program.get_matches_from(arguments);
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The locale of messages, as POSIX has it.
#[expect(clippy::disallowed_methods, reason = "the language of a terminal stands in the environment")]
fn locale() -> String {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].map(std::env::var);
    variables.into_iter().flatten().find(|value| !value.is_empty()).unwrap_or_default()
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Serve(serve::Args),
    Migrate(migrate::Args),
    CheckConfig(check_config::Args),
    Token(token::Args),
    #[command(subcommand)]
    Import(import::What),
    Template(template::Args),
    Export(export::Args),
    #[command(subcommand)]
    Rules(rules::What),
    #[command(subcommand)]
    Holidays(holidays::What),
    Screen(screen::Args),
    Check(check::Args),
    Funnel(funnel::Args),
    Overdue(overdue::Args),
    Scorecard(scorecard::Args),
    Audit(audit::Args),
    #[command(subcommand)]
    Log(log::What),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

async fn run() -> anyhow::Result<()> {
    services::check()?;
    let Cli { command, lang: _ } = arguments();
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Token(args) => token::run(&args).await,
        Command::Import(what) => import::run(what).await,
        Command::Template(args) => template::run(&args),
        Command::Export(args) => export::run(args).await,
        Command::Rules(what) => rules::run(what).await,
        Command::Holidays(what) => holidays::run(what).await,
        Command::Screen(args) => screen::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Funnel(args) => funnel::run(args).await,
        Command::Overdue(args) => overdue::run(args).await,
        Command::Scorecard(args) => scorecard::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Log(what) => log::run(what).await,
    }
}
