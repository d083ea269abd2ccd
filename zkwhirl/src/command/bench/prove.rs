//! `zkwhirl bench prove`: the native prover, ark-groth16 and taceo-groth16 on the
//! same key, matrices and witness, in rounds.

use std::{env, process, time::Duration};

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;
use zkwhirl::cluster::provenance;
use zkwhirl_circuits::Circuit;
use zkwhirl_job::Sizes;
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{Engine, EngineConfig, Lap, Rival, Rivals, Setting};

use super::memory;
use crate::{
    cli::BenchProveArgs,
    command::keys::sample,
    ui::{self, bar::Bar},
};

/// What came out for a circuit. Times in seconds, medians over the rounds; ratios
/// are those of a round: the median, the least and the most.
#[derive(Debug, Serialize)]
struct Outcome {
    circuit: String,
    rows: usize,
    threads: usize,
    rounds: usize,
    /// The instructions of the native prover.
    simd: &'static str,
    /// From the values of all variables to the proof.
    #[serde(flatten)]
    arithmetic: Comparison,
    /// From the request's bytes to the proof's, with the native witness for all.
    from_request: Comparison,
    phases: Phases,
    /// Peak resident memory of a process with a loaded key that makes one proof.
    /// 0: the system does not tell.
    peak_rss_bytes: u64,
    stock_peak_rss_bytes: u64,
    taceo_peak_rss_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Comparison {
    prove_s: f64,
    stock_prove_s: f64,
    taceo_prove_s: f64,
    speedup_vs_stock: f64,
    speedup_vs_stock_range: [f64; 2],
    speedup_vs_taceo: f64,
    speedup_vs_taceo_range: [f64; 2],
}

/// Of the native prover.
#[derive(Debug, Serialize)]
struct Phases {
    witness_s: f64,
    quotient_s: f64,
    sums_s: f64,
}

/// A lap of each of [`Rival::ALL`].
type Round = [Lap; 3];

pub(super) fn run(args: &BenchProveArgs) -> anyhow::Result<process::ExitCode> {
    let simd = Rivals::instructions(args.portable);
    if let Some(rival) = args.memory_of {
        let rivals = rivals(args, args.circuits[0], &[rival], &Bar::start("memory"))?;
        let request = sample::request(args.circuits[0])?;
        let witness = sample::read(args.circuits[0], &request)?;
        memory::forget_peak();
        rivals.prove(rival, &witness)?;
        ui::say(&memory::peak_rss().to_string());
        return Ok(process::ExitCode::SUCCESS);
    }
    let bar = Bar::start("bench");
    let mut lines = Vec::new();
    for circuit in &args.circuits {
        let outcome = outcome(args, *circuit, simd, &bar)?;
        if args.json {
            bar.beside(&serde_json::to_string(&outcome)?);
        }
        lines.push(outcome.line());
    }
    bar.finish();
    if !args.json {
        ui::say(&ui::table(HEADER, lines.into_iter()));
    }
    Ok(process::ExitCode::SUCCESS)
}

fn outcome(
    args: &BenchProveArgs,
    circuit: Circuit,
    simd: &'static str,
    bar: &Bar,
) -> anyhow::Result<Outcome> {
    let rivals = rivals(args, circuit, &Rival::ALL, bar)?;
    let rounds = rounds(args, circuit, &rivals, bar)?;
    bar.step("memory");
    let native = |time: &dyn Fn(&Lap) -> Duration| {
        spread(rounds.iter().map(|round| time(&round[0]).as_secs_f64()))[1]
    };
    let peak = |rival| peak_of(args, circuit, rival);
    Ok(Outcome {
        circuit: circuit.to_string(),
        rows: rivals.rows,
        threads: Rivals::threads(),
        rounds: rounds.len(),
        simd,
        arithmetic: Comparison::of(&rounds, |lap| lap.arithmetic),
        from_request: Comparison::of(&rounds, |lap| lap.whole),
        phases: Phases {
            witness_s: native(&|lap| lap.witness),
            quotient_s: native(&|lap| lap.quotient),
            sums_s: native(&|lap| lap.arithmetic - lap.quotient),
        },
        peak_rss_bytes: peak(Rival::Native)?,
        stock_peak_rss_bytes: peak(Rival::Stock)?,
        taceo_peak_rss_bytes: peak(Rival::Taceo)?,
    })
}

fn rivals(
    args: &BenchProveArgs,
    circuit: Circuit,
    rivals: &[Rival],
    bar: &Bar,
) -> anyhow::Result<Rivals> {
    // No reply is made, so any sizes do.
    let setting = Setting::new(circuit.suite, Sizes::new(1, 1)?, u64::MAX);
    let config = EngineConfig::new(setting, provenance(true));
    let engine = Engine::new(config, EmbeddedKeyStore::new(&args.data_dir));
    let rivals = Rivals::new(engine, circuit, rivals, &|progress| bar.show(progress));
    rivals.with_context(|| format!("no key for {circuit}"))
}

/// Each prover is the first of a round as often; a round before warms up.
fn rounds(
    args: &BenchProveArgs,
    circuit: Circuit,
    rivals: &Rivals,
    bar: &Bar,
) -> anyhow::Result<Vec<Round>> {
    let request = sample::request(circuit)?;
    let mut rounds = Vec::new();
    for number in 0..=args.rounds {
        bar.at("rounds", f32::from(number) / f32::from(args.rounds + 1));
        let mut round: Round = [Lap::default(); 3];
        for place in 0..round.len() {
            let rival = (place + usize::from(number)) % round.len();
            let started = Instant::now();
            let witness = sample::read(circuit, &request)?;
            let read = started.elapsed();
            round[rival] = rivals.prove(Rival::ALL[rival], &witness)?;
            round[rival].whole += read;
        }
        if number > 0 {
            rounds.push(round);
        }
    }
    Ok(rounds)
}

/// In a process of its own.
fn peak_of(args: &BenchProveArgs, circuit: Circuit, rival: Rival) -> anyhow::Result<u64> {
    let mut command = process::Command::new(env::current_exe()?);
    command
        .args(["bench", "prove", "--circuit", &circuit.to_string()])
        .args(["--memory-of", rival.name(), "--data-dir"])
        .arg(&args.data_dir)
        .args(args.portable.then_some("--portable"));
    let output = command.output().context("cannot start a prover")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let bytes = said.trim().parse().ok();
    bytes.with_context(|| {
        format!(
            "a prover failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

impl Comparison {
    fn of(rounds: &[Round], time: impl Fn(&Lap) -> Duration) -> Self {
        let seconds = |rival: usize| {
            let times = rounds.iter().map(|round| time(&round[rival]).as_secs_f64());
            spread(times)[1]
        };
        let ratio = |rival: usize| {
            let ratio = |round: &Round| time(&round[rival]).div_duration_f64(time(&round[0]));
            spread(rounds.iter().map(ratio))
        };
        let (stock, taceo) = (ratio(1), ratio(2));
        Self {
            prove_s: seconds(0),
            stock_prove_s: seconds(1),
            taceo_prove_s: seconds(2),
            speedup_vs_stock: stock[1],
            speedup_vs_stock_range: [stock[0], stock[2]],
            speedup_vs_taceo: taceo[1],
            speedup_vs_taceo_range: [taceo[0], taceo[2]],
        }
    }
}

/// The least, the median and the most.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [0, values.len() / 2, values.len().saturating_sub(1)]
        .map(|place| values.get(place).copied().unwrap_or(f64::NAN))
}

const HEADER: &str = "circuit|>rows|>native|>|>× ark-groth16|>× taceo-groth16|>from the request|>peak, ark's, taceo's";

impl Outcome {
    fn line(&self) -> Vec<String> {
        let ratio = |median, [least, most]: [f64; 2]| format!("{median:.2} ({least:.2}–{most:.2})");
        let vs_stock =
            |times: &Comparison| ratio(times.speedup_vs_stock, times.speedup_vs_stock_range);
        let arithmetic = &self.arithmetic;
        let peaks = [
            self.peak_rss_bytes,
            self.stock_peak_rss_bytes,
            self.taceo_peak_rss_bytes,
        ];
        vec![
            self.circuit.clone(),
            ui::grouped(self.rows as u64),
            ui::seconds(Duration::from_secs_f64(arithmetic.prove_s)),
            self.simd.to_owned(),
            vs_stock(arithmetic),
            ratio(
                arithmetic.speedup_vs_taceo,
                arithmetic.speedup_vs_taceo_range,
            ),
            vs_stock(&self.from_request),
            peaks.map(ui::bytes).join(", "),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lap(ms: u64) -> Lap {
        let time = Duration::from_millis(ms);
        Lap {
            arithmetic: time,
            whole: time * 2,
            ..Lap::default()
        }
    }

    #[test]
    fn ratios_are_those_of_a_round() {
        let rounds = [[10, 30, 20], [20, 80, 20], [10, 20, 30]].map(|round| round.map(lap));
        let times = Comparison::of(&rounds, |lap| lap.arithmetic);
        assert_eq!(
            (times.prove_s, times.stock_prove_s, times.taceo_prove_s),
            (0.01, 0.03, 0.02)
        );
        assert_eq!(
            (times.speedup_vs_stock, times.speedup_vs_stock_range),
            (3.0, [2.0, 4.0])
        );
        assert_eq!(
            (times.speedup_vs_taceo, times.speedup_vs_taceo_range),
            (2.0, [1.0, 3.0])
        );
    }
}
