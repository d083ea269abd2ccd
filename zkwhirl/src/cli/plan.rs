//! The flags of `zkwhirl plan`.

use std::{path::PathBuf, str::FromStr};

use anyhow::bail;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl plan                                            compare fleets of 1 to 32 workers, with the defaults below
  zkwhirl plan --rollups-per-hour 4 --proof-seconds 120 --price 0.8 --svg plan.svg
  zkwhirl plan --sizes 8,16,32 --spot-losses 0.05
  zkwhirl plan --trace tests/vectors/incidents/newest-killed.json --hpa my-hpa.yaml
  zkwhirl plan --replay tests/vectors/golden_hpa.json     compare the simulated autoscaler with recorded decisions

The command simulates the HPA's control loop as Kubernetes computes it, from the manifest that you
apply, with pods, queues and rollups. docs/DEPLOYING.md lists what is modelled and what is not.")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
    /// Compare the simulated autoscaler with decisions recorded in this file; exit code 1 if one differs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trace", "hpa", "svg", "sizes"])]
    pub(crate) replay: Option<PathBuf>,
    /// Fleets to compare, by maximum number of workers: 1-32, or 4,8,16,32
    #[arg(long, value_name = "SIZES", default_value = "1-32")]
    pub(crate) sizes: FleetSizes,
    /// Write a chart (SVG) of latency and cost by fleet size, and of the fleet over time
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

/// The simulated load.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// Simulate the jobs of this file; the options below that describe jobs are then ignored
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Number of rollups that Falafel requests per hour
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) rollups_per_hour: f64,
    /// Number of claims per rollup
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) claims: u32,
    /// How long proving a claim takes
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    pub(crate) claim_seconds: f64,
    /// Number of inner rollups per rollup
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) inner_jobs: u32,
    /// How long proving an inner rollup takes
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    pub(crate) proof_seconds: f64,
    /// Random variation of each job's duration: 0.1 is up to 10 % shorter or longer
    #[arg(long, value_name = "PART", default_value = "0.1")]
    pub(crate) jitter: f64,
    /// How long proving a root rollup takes
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub(crate) root_seconds: f64,
    /// How long a root verifier job takes
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    pub(crate) verifier_seconds: f64,
    /// Number of hours to simulate
    #[arg(long, value_name = "HOURS", default_value = "24")]
    pub(crate) hours: f64,
    /// Seed of the random numbers: equal seeds give equal results
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) seed: u64,
}

/// The simulated fleet.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// Manifest of the autoscaler: one HorizontalPodAutoscaler or ScaledObject; default: the one in k8s/base
    #[arg(long, value_name = "FILE")]
    pub(crate) hpa: Option<PathBuf>,
    /// Metric that the autoscaler scales on
    #[arg(long, default_value = "outstanding")]
    pub(crate) signal: SignalArg,
    /// Number of bridges that report the metric; the autoscaler has no metric when all are down
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) sources: u8,
    /// Age of the metric when the autoscaler reads it
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) metric_lag_seconds: u64,
    /// Time from a pod's creation until the pod claims jobs
    #[arg(long, value_name = "SECONDS", default_value = "90", value_parser = seconds)]
    pub(crate) pod_start_seconds: u64,
    /// How long a running proof may continue after SIGTERM (ZKWHIRL_DRAIN_S of the inner workers)
    #[arg(long, value_name = "SECONDS", default_value = "840", value_parser = seconds)]
    pub(crate) drain_seconds: u64,
    /// Let a scale-in remove idle pods before proving pods (k8s/components/pod-deletion-cost)
    #[arg(long)]
    pub(crate) deletion_costs: bool,
    /// Number of workers of outer jobs
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) outer: u32,
    /// Rate at which a pod's spot machine is lost, per hour: 0.05 is once in 20 hours
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate)]
    pub(crate) spot_losses: f64,
    /// Price of a pod per hour; the default is the list price of an r5.8xlarge in dollars
    #[arg(long, value_name = "PRICE", default_value = "2.016", value_parser = rate)]
    pub(crate) price: f64,
}

/// The metric that the autoscaler scales on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SignalArg {
    /// Jobs that are queued or being proved
    Outstanding,
    /// Only queued jobs: a metric that makes a scale-in interrupt running proofs
    Ready,
}

/// Sizes of fleets, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FleetSizes(pub(crate) Vec<u32>);

impl FromStr for FleetSizes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ERROR: &str = "must be like 1-32 or 4,8,16,32, each from 1 to 256";
        let size = |text: &str| match text.parse() {
            Ok(size @ 1..=256) => Ok(size),
            _ => Err(ERROR),
        };
        let mut sizes = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((from, to)) => sizes.extend(size(from)?..=size(to)?),
                None => sizes.push(size(part)?),
            }
        }
        match sizes.len() {
            1..=256 => Ok(Self(sizes)),
            _ => Err(ERROR),
        }
    }
}

fn seconds(text: &str) -> anyhow::Result<u64> {
    match text.parse() {
        Ok(seconds @ 0..=86_400) => Ok(seconds),
        _ => bail!("must be 0 to 86400"),
    }
}

fn rate(text: &str) -> anyhow::Result<f64> {
    match text.parse() {
        Ok(rate @ 0.0..=1000.0) => Ok(rate),
        _ => bail!("must be 0 to 1000"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_ranges_and_lists() {
        let sizes = |text: &str| text.parse::<FleetSizes>().map(|sizes| sizes.0);
        assert_eq!(sizes("4,8-10,32"), Ok(vec![4, 8, 9, 10, 32]));
        assert_eq!(sizes("1-32").unwrap().len(), 32);
        for wrong in ["", "0", "1-", "9-1", "257", "1-256,1", "a"] {
            assert!(sizes(wrong).is_err(), "{wrong}");
        }
    }
}
