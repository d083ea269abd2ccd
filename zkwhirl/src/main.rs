//! zkWhirl: the job cluster that proves rollups.
//!
//! One binary; every role is a sub-command. This file parses the command line
//! and turns the outcome into an exit code; [`command`] holds the roles,
//! [`shell`] what they share, [`ui`] what a person sees.

mod cli;
mod command;
mod shell;
mod ui;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let outcome = shell::environment::refuse_unknown_variables()
        .map_err(shell::exit::usage)
        .and_then(|()| command::run(cli));
    shell::exit::code(outcome)
}
