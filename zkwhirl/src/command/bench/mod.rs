//! `zkwhirl bench`: what a fleet costs beside the proofs.

mod fleet;
mod payload;
mod services;
mod table;

use std::process::ExitCode;

use crate::cli::BenchCommand;

pub(super) fn run(command: BenchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Fleet(args) => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(table::run(args))
        }
    }
}
