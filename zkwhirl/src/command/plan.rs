//! `zkwhirl plan`: latency and cost of a fleet by its size.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use serde::Serialize;
use zkwhirl_planner::{
    Description, Hpa, Setup, Trace,
    golden::{self, GOLDEN_BYTES},
    picture,
    plan::{self, Row},
    simulation::Signal,
    trace::TRACE_BYTES,
};

use crate::{
    cli::{FleetArgs, PlanArgs, SignalArg, WorkArgs},
    shell::{exit, files},
    ui::{self, table},
};

/// The manifest in k8s/base.
const COMMITTED: &str = include_str!("../../../k8s/base/hpa-inner.yaml");
/// Largest manifest that is read, in bytes.
const MANIFEST_BYTES: usize = 4 << 20;
/// The duration that the chart of the largest fleet's run shows.
const DRAWN_MS: u64 = 3 * 3_600_000;

#[derive(Debug, Serialize)]
struct PlanReport {
    sizes: Vec<Row>,
    settings: Vec<Row>,
}

pub(super) fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    if let Some(file) = &args.replay {
        return replay(file, args.json);
    }
    let trace = trace(&args.work)?;
    let setup = setup(&args.fleet, args.work.seed)?;
    let price = args.fleet.price;
    let report = PlanReport {
        sizes: plan::sizes(&setup, &trace, &args.sizes.0, price),
        settings: plan::settings(&setup, &trace, price),
    };
    if let Some(file) = &args.svg {
        let mut course = plan::row("", &setup, &trace, price).1.course;
        course.retain(|sample| sample.at_ms <= DRAWN_MS);
        let svg = picture::draw(&report.sizes, &course)?;
        fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))?;
    }
    match args.json {
        true => ui::say(&serde_json::to_string(&report)?),
        false => print(&report, &trace, &setup),
    }
    Ok(ExitCode::SUCCESS)
}

fn replay(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let replay = golden::replay(&read(file, GOLDEN_BYTES)?)
        .with_context(|| file.display().to_string())
        .map_err(exit::usage)?;
    let differences = replay.differences.len();
    if json {
        ui::say(&serde_json::to_string(&replay)?);
    } else {
        for found in replay.differences.iter().take(10) {
            ui::complain(&format!(
                "zkwhirl: scenario {} at {} s: the record has {} replicas, the simulation {}",
                found.scenario, found.at_s, found.expected, found.decided
            ));
        }
        ui::say(&format!(
            "{} scenarios, {} decisions, {differences} differences",
            replay.scenarios,
            ui::grouped(replay.decisions as u64)
        ));
    }
    Ok(ExitCode::from(u8::from(differences > 0)))
}

fn trace(args: &WorkArgs) -> anyhow::Result<Trace> {
    let Some(file) = &args.trace else {
        let described = Description {
            rollups_per_hour: args.rollups_per_hour,
            claims: args.claims,
            claim_s: args.claim_seconds,
            inners: args.inner_jobs,
            inner_s: args.proof_seconds,
            jitter: args.jitter,
            root_s: args.root_seconds,
            verifier_s: args.verifier_seconds,
            hours: args.hours,
            seed: args.seed,
        };
        return described.trace().map_err(exit::usage);
    };
    let text = read(file, TRACE_BYTES)?;
    let trace = Trace::from_json(&text).with_context(|| file.display().to_string());
    trace.map_err(exit::usage)
}

fn setup(args: &FleetArgs, seed: u64) -> anyhow::Result<Setup> {
    let hpa = match &args.hpa {
        None => Hpa::from_manifest(COMMITTED).context("cannot read k8s/base's HPA")?,
        Some(file) => Hpa::from_manifest(&read(file, MANIFEST_BYTES)?)
            .with_context(|| file.display().to_string())
            .map_err(exit::usage)?,
    };
    Ok(Setup {
        signal: match args.signal {
            SignalArg::Outstanding => Signal::Outstanding,
            SignalArg::Ready => Signal::Ready,
        },
        sources: args.sources,
        lag_ms: args.metric_lag_seconds * 1000,
        start_ms: args.pod_start_seconds * 1000,
        drain_ms: args.drain_seconds * 1000,
        deletion_costs: args.deletion_costs,
        outer: args.outer,
        losses_per_hour: args.spot_losses,
        seed,
        ..Setup::new(hpa)
    })
}

fn read(file: &Path, limit: usize) -> anyhow::Result<String> {
    let text = String::from_utf8(files::read(file, "such a file", limit)?);
    text.with_context(|| format!("cannot read {}", file.display()))
}

fn print(report: &PlanReport, trace: &Trace, setup: &Setup) {
    let jobs = trace.rollups.iter().map(|rollup| rollup.inners_s.len());
    let jobs: usize = jobs.sum();
    let (rollups, seconds) = (trace.rollups.len(), trace.until_s);
    if !trace.about.is_empty() {
        ui::say(&format!("{}\n", trace.about));
    }
    ui::say(&format!(
        "{rollups} rollups with {} inner jobs in {:.1} h · autoscaler {} to {} · \
         pods start in {} s, drain for {} s\n",
        ui::grouped(jobs as u64),
        seconds / 3600.0,
        setup.hpa.min,
        setup.hpa.max,
        setup.start_ms / 1000,
        setup.drain_ms / 1000,
    ));
    ui::say(&rows("workers", &report.sizes));
    ui::say(&format!(
        "\nat {} workers, for other settings of the autoscaler:\n",
        setup.hpa.max
    ));
    ui::say(&rows("rules", &report.settings));
    if report.sizes.iter().any(|row| row.falls_behind) {
        ui::say("\n* falls behind: rollups are requested faster than the fleet proves them");
    }
}

fn rows(first: &str, rows: &[Row]) -> String {
    let header = "|>rollup p50|>p95|>wait p50|>p95|>killed|>pod hours|>useful|>per rollup|>per day";
    let or_dash = |value: Option<f64>, text: fn(f64) -> String| value.map_or("–".to_owned(), text);
    let cells = |row: &Row| {
        let mark = if row.falls_behind { " *" } else { "" };
        vec![
            format!("{}{mark}", row.name),
            or_dash(row.latency_p50_s, minutes),
            or_dash(row.latency_p95_s, minutes),
            minutes(row.wait_p50_s),
            minutes(row.wait_p95_s),
            ui::grouped(row.killed.into()),
            format!("{:.1}", row.pod_hours),
            format!("{:.0} %", 100.0 * row.useful),
            or_dash(row.cost_per_rollup, |cost| format!("{cost:.2}")),
            format!("{:.0}", row.cost_per_day),
        ]
    };
    table(&format!("{first}{header}"), rows.iter().map(cells))
}

/// `8:40`, or `12:08:40` with hours.
fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(line: &[&str]) -> PlanArgs {
        let line = ["zkwhirl", "plan"].iter().chain(line);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Plan(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn vector(name: &str) -> String {
        format!("{}/../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn every_recorded_decision_is_made_again_and_one_that_differs_is_an_exit_code() {
        let replay = |file: &str| run(&args(&["--replay", file])).unwrap();
        let golden = vector("golden_hpa.json");
        assert_eq!(replay(&golden), ExitCode::SUCCESS);
        let golden = fs::read_to_string(golden).unwrap();
        let mut scenarios: serde_json::Value = serde_json::from_str(&golden).unwrap();
        scenarios[0]["steps"][5][3] = 31.into();
        let changed = tempfile::NamedTempFile::new().unwrap();
        fs::write(&changed, scenarios.to_string()).unwrap();
        assert_eq!(replay(changed.path().to_str().unwrap()), ExitCode::from(1));
    }

    #[test]
    fn a_plan_is_drawn_and_an_unreadable_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let svg = folder.path().join("plan.svg");
        let line = ["--hours=3", "--sizes=8,32", "--svg", svg.to_str().unwrap()];
        run(&args(&line)).unwrap();
        assert!(fs::read_to_string(&svg).unwrap().contains("pods proving"));
        let readme = vector("incidents/README.md");
        let error = run(&args(&["--trace", &readme])).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("README.md: is not a valid trace"), "{error}");
    }

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!(minutes(59.6), "1:00");
        assert_eq!(minutes(520.0), "8:40");
        assert_eq!(minutes(43_720.0), "12:08:40");
    }
}
