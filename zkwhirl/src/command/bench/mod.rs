//! `zkwhirl bench`: measures proofs, and a fleet's overhead beside the proofs.
//! The measured loads and the table of results.

mod fleet;
pub(super) mod memory;
mod payload;
mod prove;
mod services;

use std::process::ExitCode;

use tokio::runtime::Runtime;

use self::{
    fleet::{BenchFleet, Load, Measured},
    services::BenchServices,
};
use crate::{
    cli::{BenchCommand, BenchFleetArgs},
    ui::bar::Bar,
};

const WORKERS: [u16; 4] = [1, 4, 8, 32];
const WORK_MS: [u32; 3] = [0, 50, 1000];
/// Request sizes in bytes: a claim, and the largest inner rollup.
const PAYLOADS: [u32; 2] = [4_413, 1_090_000];

pub(super) fn run(command: BenchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Fleet(args) => Runtime::new()?.block_on(measure(args)),
        BenchCommand::Prove(args) => prove::run(&args),
    }
}

async fn measure(args: BenchFleetArgs) -> anyhow::Result<ExitCode> {
    let bar = Bar::start("bench");
    bar.step("services");
    let services = tokio::task::spawn_blocking(BenchServices::up).await??;
    if !args.json {
        bar.beside(HEADER);
    }
    let loads = loads(&args);
    let all = loads.len() as f32;
    for (number, load) in loads.into_iter().enumerate() {
        let at = |part: f32| (number as f32 + part) / all;
        bar.at("start", at(0.0));
        let fleet = BenchFleet::start(&services, load, number).await?;
        let measured = fleet
            .measure(load, &|done| bar.at("jobs", at(done)))
            .await?;
        bar.beside(&match args.json {
            true => serde_json::to_string(&measured)?,
            false => line(load, &measured),
        });
    }
    bar.finish();
    Ok(ExitCode::SUCCESS)
}

fn loads(args: &BenchFleetArgs) -> Vec<Load> {
    fn or_all<T: Copy>(one: Option<T>, all: &[T]) -> Vec<T> {
        one.map_or_else(|| all.to_vec(), |one| vec![one])
    }
    let mut loads = Vec::new();
    for payload_bytes in or_all(args.payload_bytes, &PAYLOADS) {
        for work_ms in or_all(args.work_ms, &WORK_MS) {
            for workers in or_all(args.workers, &WORKERS) {
                loads.push(Load {
                    workers,
                    jobs: args.jobs,
                    work_ms,
                    payload_bytes,
                });
            }
        }
    }
    loads
}

const HEADER: &str = "workers  jobs  work ms    payload  makespan ms  ÷ ideal  claim p50 ms  p99 ms  jobs/s  KB/job through RabbitMQ";

fn line(load: Load, measured: &Measured) -> String {
    let ratio = measured.makespan_ratio.map(|ratio| format!("{ratio:.3}"));
    let ratio = ratio.unwrap_or_else(|| "–".to_owned());
    let through = measured.broker_in_bytes_per_job;
    let through = match through.zip(measured.broker_out_bytes_per_job) {
        None => "–".to_owned(),
        Some((into, out)) => format!("{:.1} in, {:.1} out", into / 1e3, out / 1e3),
    };
    format!(
        "{:>7}  {:>4}  {:>7}  {:>9}  {:>11.0}  {ratio:>7}  {:>12.0}  {:>6.0}  {:>6.0}  {through}",
        load.workers,
        load.jobs,
        load.work_ms,
        load.payload_bytes,
        measured.makespan_ms,
        measured.claim_ms_p50,
        measured.claim_ms_p99,
        measured.jobs_per_s,
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn asked(args: &[&str]) -> Vec<(u16, u32, u32)> {
        let line = ["zkwhirl", "bench", "fleet"].iter().chain(args);
        let Cli { command, .. } = Cli::try_parse_from(line).unwrap();
        let Command::Bench(BenchCommand::Fleet(args)) = command else {
            panic!("{args:?}");
        };
        let loads = loads(&args).into_iter();
        loads
            .map(|load| (load.workers, load.work_ms, load.payload_bytes))
            .collect()
    }

    #[test]
    fn without_options_the_whole_table_is_measured() {
        let all = asked(&[]);
        assert_eq!(all.len(), 4 * 3 * 2);
        assert_eq!(all[0], (1, 0, 4_413));
        assert_eq!(all[23], (32, 1000, 1_090_000));
        let some = ["--workers=8", "--work-ms=50"];
        assert_eq!(asked(&some), [(8, 50, 4_413), (8, 50, 1_090_000)]);
    }
}
