//! `zkwhirl bench`: what a proof costs, and a fleet beside the proofs.

mod fleet;
pub(super) mod memory;
mod payload;
mod prove;
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
        BenchCommand::Prove(args) => prove::run(&args),
    }
}
