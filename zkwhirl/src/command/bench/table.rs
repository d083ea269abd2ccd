//! Which loads are measured, and how the outcomes are shown.

use std::process::ExitCode;

use super::{
    fleet::{Fleet, Load, Outcome},
    services::Services,
};
use crate::{cli::BenchFleetArgs, ui};

const WORKERS: [u16; 4] = [1, 4, 8, 32];
const WORK_MS: [u32; 3] = [0, 50, 1000];
/// A claim, and the largest inner rollup.
const PAYLOADS: [u32; 2] = [4_413, 1_090_000];

pub(super) async fn run(args: BenchFleetArgs) -> anyhow::Result<ExitCode> {
    let services = tokio::task::spawn_blocking(Services::up).await??;
    if !args.json {
        ui::say(HEADER);
    }
    for (number, load) in loads(&args).into_iter().enumerate() {
        let fleet = Fleet::start(&services, load, number).await?;
        let outcome = fleet.measure(load).await?;
        if args.json {
            ui::say(&serde_json::to_string(&outcome)?);
        } else {
            ui::say(&line(load, &outcome));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn loads(args: &BenchFleetArgs) -> Vec<Load> {
    let or_all = |one: Option<u32>, all: &[u32]| one.map_or_else(|| all.to_vec(), |one| vec![one]);
    let workers = args
        .workers
        .map_or_else(|| WORKERS.to_vec(), |one| vec![one]);
    let mut loads = Vec::new();
    for payload_bytes in or_all(args.payload_bytes, &PAYLOADS) {
        for work_ms in or_all(args.work_ms, &WORK_MS) {
            for workers in &workers {
                loads.push(Load {
                    workers: *workers,
                    jobs: args.jobs,
                    work_ms,
                    payload_bytes,
                });
            }
        }
    }
    loads
}

const HEADER: &str =
    "workers  jobs  work ms    payload  makespan ms  ÷ ideal  claim p50 ms  p99 ms  jobs/s";

fn line(load: Load, outcome: &Outcome) -> String {
    let ratio = outcome
        .makespan_ratio
        .map_or_else(|| "–".to_owned(), |r| format!("{r:.3}"));
    format!(
        "{:>7}  {:>4}  {:>7}  {:>9}  {:>11.0}  {ratio:>7}  {:>12.0}  {:>6.0}  {:>6.0}",
        load.workers,
        load.jobs,
        load.work_ms,
        load.payload_bytes,
        outcome.makespan_ms,
        outcome.claim_ms_p50,
        outcome.claim_ms_p99,
        outcome.jobs_per_s,
    )
}
