//! The sub-commands, one module each: construction and wiring of their parts.

mod bench;
mod bridge;
mod console;
mod demo;
mod falafel;
mod fleet;
mod keys;
mod operate;
mod plan;
mod pods;
mod prove;
mod provision;
mod ready;
mod rollup_cli;
mod slots;
mod up;
mod verify;
mod worker;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command},
    shell::{exit, telemetry},
};

pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let _telemetry = telemetry::start(&cli.log, cli.log_format).map_err(exit::usage)?;
    match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Prove(args) => prove::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Keys(command) => keys::run(command),
        Command::Falafel(args) => falafel::run(args),
        Command::RollupCli(args) => rollup_cli::run(args),
        Command::Up(args) => up::run(args),
        Command::Bridge(args) => bridge::run(args),
        Command::Worker(args) => worker::run(args),
        Command::Rollups(args) => operate::rollups(&args),
        Command::Jobs(args) => operate::jobs(&args),
        Command::Workers(args) => operate::workers(&args),
        Command::Dead(args) => operate::dead(&args),
        Command::Queues(args) => operate::queues(&args),
        Command::Provision(args) => provision::run(args),
        Command::Plan(args) => plan::run(&args),
        Command::Bench(command) => bench::run(command),
    }
}
