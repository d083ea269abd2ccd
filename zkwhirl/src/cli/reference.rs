//! Generates docs/CONFIG.md from the command line.

use std::{env, fmt::Write, fs, path::Path};

use clap::{Arg, Command, CommandFactory};

use super::Cli;

const HEAD: &str = "\
# Configuration

*Generated from the command line by `scripts/gen-config`; a test fails when this page is stale.*

Every role is a sub-command of `zkwhirl`. An option beats its environment variable, a variable beats the default. Most switches (`--proverless`) also take `true` or `false`, as their variables do. There is no configuration file.

- A `ZKWHIRL_*` variable that no option reads is refused at the start with exit code 2, so a misspelt one is never silent. The prefixes `ZKWHIRL_SERVICES_` and `ZKWHIRL_TEST_` belong to scripts and tests.
- Variables without the prefix `ZKWHIRL_` are Halloumi's: [MOVING-FROM-HALLOUMI.md](MOVING-FROM-HALLOUMI.md) has them line by line.
- Pass passwords and tokens by variable: an option can be read in the process list. The values of such variables are never shown.
- A wrong value ends the command with one line and exit code 2.
";

/// The path of docs/CONFIG.md.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CONFIG.md");

fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let cli = Cli::command();
    section(&mut page, "Every command", &cli, |argument| {
        argument.is_global_set()
    });
    for command in cli.get_subcommands() {
        let name = format!("zkwhirl {}", command.get_name());
        commands(&mut page, &name, command);
    }
    page
}

fn commands(page: &mut String, name: &str, command: &Command) {
    if command.is_hide_set() {
        return;
    }
    section(page, &format!("`{name}`"), command, |_| true);
    for inner in command.get_subcommands() {
        commands(page, &format!("{name} {}", inner.get_name()), inner);
    }
}

fn section(page: &mut String, title: &str, command: &Command, wanted: fn(&Arg) -> bool) {
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {title}\n");
    if title.starts_with('`')
        && let Some(about) = command.get_about()
    {
        let _ = write!(page, "\n{about}.\n");
    }
    let arguments = command.get_arguments();
    let shown = |argument: &&Arg| wanted(argument) && !argument.is_hide_set();
    let mut arguments = arguments.filter(shown).peekable();
    if arguments.peek().is_some() {
        page.push_str("\n| option | variable | default | |\n|---|---|---|---|\n");
    }
    for argument in arguments {
        row(page, argument);
    }
}

fn row(page: &mut String, argument: &Arg) {
    let value = argument.get_value_names().map_or_else(
        || argument.get_id().as_str().to_uppercase(),
        |names| names.join(" "),
    );
    let number = argument.get_num_args();
    let switch = number.is_some_and(|number| number.min_values() == 0);
    let name = match argument.get_long() {
        Some(long) if switch || !argument.get_action().takes_values() => format!("--{long}"),
        Some(long) => format!("--{long} {value}"),
        None => value,
    };
    let variable = argument
        .get_env()
        .map_or_else(String::new, |name| format!("`{}`", name.to_string_lossy()));
    let default = argument.get_default_values().iter();
    let default: Vec<_> = default.map(|value| value.to_string_lossy()).collect();
    let default = match default.join(",") {
        text if !text.is_empty() => format!("`{text}`"),
        _ if argument.is_required_set() => "required".to_owned(),
        _ => String::new(),
    };
    let help = argument.get_help();
    let mut help = help.map_or_else(String::new, ToString::to_string);
    let choices = argument.get_possible_values();
    let choices: Vec<_> = choices.iter().map(|choice| choice.get_name()).collect();
    if !choices.is_empty() && choices != ["true", "false"] {
        let _ = write!(help, ": {}", choices.join(", "));
    }
    let help = help.replace('|', "\\|");
    let _ = writeln!(page, "| `{name}` | {variable} | {default} | {help} |");
}

#[test]
fn the_page_is_what_the_command_line_says() {
    let page = markdown();
    if env::var_os("ZKWHIRL_TEST_WRITE").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
    assert!(
        kept == page,
        "docs/CONFIG.md is stale: run scripts/gen-config"
    );
}
