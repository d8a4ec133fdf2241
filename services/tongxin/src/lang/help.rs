//! The help of commands in Chinese, from a catalogue with the texts of each command and argument.

use std::sync::LazyLock;

use clap::{Arg, ArgAction, Command, builder::StyledStr};
use toml::{Table, Value};

/// The order of the help, with its titles in Chinese.
const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

static CATALOGUE: LazyLock<Table> = LazyLock::new(|| include_str!("commands.toml").parse().unwrap_or_default());

/// A command and all below it with their help in Chinese. What the catalogue does not have stays in English.
pub fn translated(program: Command) -> Command {
    let top = table(&CATALOGUE, "tongxin");
    let subcommands: Vec<_> = program.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let mut program = texts_of(program, top);
    for name in subcommands {
        program = program.mut_subcommand(&name, |below| with_below(below, table(&CATALOGUE, &name)));
    }
    program
}

fn with_below(command: Command, texts: Option<&'static Table>) -> Command {
    let names: Vec<_> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let mut command = texts_of(command, texts);
    for name in names {
        let texts = texts.and_then(|texts| table(texts, &name));
        command = command.mut_subcommand(&name, |below| with_below(below, texts));
    }
    command
}

fn texts_of(command: Command, texts: Option<&'static Table>) -> Command {
    let of = |name: &str| texts.and_then(|texts| text(texts, name)).map(StyledStr::from);
    let args = texts.and_then(|texts| table(texts, "arg"));
    let shared = table(&CATALOGUE, "shared").and_then(|shared| table(shared, "arg"));
    let help = [args, shared];
    let mut command = command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .subcommand_help_heading("命令")
        .next_help_heading("选项");
    if let Some(about) = of("about") {
        command = command.about(about);
    }
    if let Some(about) = of("long_about") {
        command = command.long_about(about);
    }
    if let Some(after) = of("after_help") {
        command = command.after_help(after);
    }
    let help_flag = Arg::new("help").short('h').long("help").action(ArgAction::Help).help("显示帮助");
    command.mut_args(|arg| translated_arg(arg, help)).arg(help_flag)
}

fn translated_arg(arg: Arg, [own, shared]: [Option<&'static Table>; 2]) -> Arg {
    let id = arg.get_id().to_string();
    let help = [own, shared].into_iter().flatten().find_map(|table| text(table, &id));
    let names = table(&CATALOGUE, "value_name");
    let translated: Option<Vec<&'static str>> = arg
        .get_value_names()
        .map(|stated| stated.iter().filter_map(|name| names.and_then(|names| text(names, name))).collect());
    let heading = if arg.is_positional() { "参数" } else { "选项" };
    let mut arg = arg.help_heading(heading);
    if let Some(help) = help {
        arg = arg.help(help);
    }
    match translated {
        Some(names) if !names.is_empty() => arg.value_names(names),
        _ => arg,
    }
}

fn table<'table>(of: &'table Table, name: &str) -> Option<&'table Table> {
    of.get(name).and_then(Value::as_table)
}

fn text<'table>(of: &'table Table, name: &str) -> Option<&'table str> {
    of.get(name).and_then(Value::as_str).map(|text| text.trim_start_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, texts: Option<&Table>, path: &str, missing: &mut Vec<String>) {
        let shared = table(&CATALOGUE, "shared").and_then(|shared| table(shared, "arg"));
        let of = |name: &str| texts.and_then(|texts| text(texts, name)).is_some();
        if !of("about") {
            missing.push(format!("{path}.about"));
        }
        let args = texts.and_then(|texts| table(texts, "arg"));
        for arg in command.get_arguments().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())) {
            if [args, shared].into_iter().flatten().all(|table| text(table, arg.get_id().as_str()).is_none()) {
                missing.push(format!("{path}.arg.{}", arg.get_id()));
            }
        }
        for below in command.get_subcommands() {
            let name = below.get_name();
            let texts =
                if path == "tongxin" { table(&CATALOGUE, name) } else { texts.and_then(|texts| table(texts, name)) };
            self::missing(below, texts, &format!("{path}.{name}"), missing);
        }
    }

    #[test]
    fn every_command_and_argument_is_explained_in_chinese() {
        let program = crate::program();
        let mut lacks = Vec::new();
        missing(&program, table(&CATALOGUE, "tongxin"), "tongxin", &mut lacks);
        assert_eq!(lacks, Vec::<String>::new());
        let help = translated(program).render_long_help().to_string();
        assert!(help.contains("用法：") && help.contains("命令") && !help.contains("Usage"), "{help}");
    }
}
