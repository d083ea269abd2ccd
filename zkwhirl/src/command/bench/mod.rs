//! `zkwhirl bench`: what a fleet costs beside the proofs.

mod fleet;
mod payload;
mod services;
mod table;

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::cli::BenchCommand;

pub(super) fn run(command: BenchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Fleet(args) => Runtime::new()?.block_on(table::run(args)),
    }
}
