//! `zkwhirl bench prove`: the native prover, ark-groth16 and taceo-groth16 on the
//! same key, matrices and witness, in rounds.

use std::{
    env, fs,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;
use zkwhirl::cluster::provenance;
use zkwhirl_circuits::{Circuit, Witness};
use zkwhirl_job::Sizes;
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{Engine, EngineConfig, Lap, Rival, Rivals, Setting};

use crate::{
    cli::BenchProveArgs,
    command::{keys::sample, ready},
    ui::{self, bar::Bar},
};

const RIVALS: [Rival; 3] = [Rival::Native, Rival::Stock, Rival::Taceo];

/// What came out for a circuit. Times in seconds, medians of the rounds'; ratios
/// are medians of the rounds' ratios.
#[derive(Debug, Serialize)]
struct Outcome {
    circuit: String,
    rows: usize,
    threads: usize,
    rounds: u16,
    /// The instructions of the native prover.
    simd: &'static str,
    /// From the values of all variables to the proof.
    prove_s: f64,
    stock_prove_s: f64,
    taceo_prove_s: f64,
    speedup_vs_stock: Spread,
    speedup_vs_taceo: Spread,
    /// From the request's bytes to the proof's, with the native witness for all.
    request_to_proof_s: f64,
    request_speedup_vs_stock: Spread,
    request_speedup_vs_taceo: Spread,
    phases: Phases,
    /// Peak resident memory of a process that has a loaded key and makes one
    /// proof; 0 where the system does not tell.
    peak_rss_bytes: u64,
    stock_peak_rss_bytes: u64,
    taceo_peak_rss_bytes: u64,
}

/// Of the native prover.
#[derive(Debug, Serialize)]
struct Phases {
    witness_s: f64,
    quotient_s: f64,
    sums_s: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// What each of [`RIVALS`] needed in a round.
type Round = [Lap; 3];

pub(super) fn run(args: &BenchProveArgs) -> anyhow::Result<ExitCode> {
    if let Some(rival) = args.peak_of {
        ui::say(&peak(args, RIVALS[usize::from(rival)])?.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let simd = Rivals::instructions(args.portable);
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
        ui::say(&ui::table::table(&HEADER, &HEADER[1..], lines));
    }
    Ok(ExitCode::SUCCESS)
}

fn outcome(
    args: &BenchProveArgs,
    circuit: Circuit,
    simd: &'static str,
    bar: &Bar,
) -> anyhow::Result<Outcome> {
    let [peak_rss_bytes, stock_peak_rss_bytes, taceo_peak_rss_bytes] = [0, 1, 2].map(|rival| {
        bar.step("memory");
        child(args, circuit, rival)
    });
    let rivals = Rivals::new(engine(args)?, circuit, &RIVALS, &|p| bar.show(p))?;
    let request = sample::request(circuit)?;
    let mut rounds: Vec<Round> = Vec::new();
    for round in 0..=args.rounds {
        bar.at("rounds", f32::from(round) / f32::from(args.rounds + 1));
        let mut laps = [None; 3];
        // Each starts as often, and the first round warms up.
        for place in 0..RIVALS.len() {
            let rival = (place + usize::from(round)) % RIVALS.len();
            let started = Instant::now();
            let witness = request.witness()?;
            let read = started.elapsed();
            let mut lap = rivals.prove(RIVALS[rival], &witness)?;
            lap.whole += read;
            laps[rival] = Some(lap);
        }
        if let ([Some(a), Some(b), Some(c)], 1..) = (laps, round) {
            rounds.push([a, b, c]);
        }
    }
    let seconds = |rival: usize, time: fn(&Lap) -> Duration| {
        spread(&rounds, |round| time(&round[rival]).as_secs_f64()).median
    };
    let ratio = |rival: usize, time: fn(&Lap) -> Duration| {
        let ratio = |round: &Round| time(&round[rival]).div_duration_f64(time(&round[0]));
        spread(&rounds, ratio)
    };
    Ok(Outcome {
        circuit: circuit.to_string(),
        rows: rivals.rows,
        threads: Rivals::threads(),
        rounds: args.rounds,
        simd,
        prove_s: seconds(0, |lap| lap.arithmetic),
        stock_prove_s: seconds(1, |lap| lap.arithmetic),
        taceo_prove_s: seconds(2, |lap| lap.arithmetic),
        speedup_vs_stock: ratio(1, |lap| lap.arithmetic),
        speedup_vs_taceo: ratio(2, |lap| lap.arithmetic),
        request_to_proof_s: seconds(0, |lap| lap.whole),
        request_speedup_vs_stock: ratio(1, |lap| lap.whole),
        request_speedup_vs_taceo: ratio(2, |lap| lap.whole),
        phases: Phases {
            witness_s: seconds(0, |lap| lap.witness),
            quotient_s: seconds(0, |lap| lap.quotient),
            sums_s: seconds(0, |lap| lap.arithmetic - lap.quotient),
        },
        peak_rss_bytes,
        stock_peak_rss_bytes,
        taceo_peak_rss_bytes,
    })
}

fn engine(args: &BenchProveArgs) -> anyhow::Result<Engine> {
    let suite = args.circuits[0].suite;
    // No request is proved, so any sizes do.
    let setting = Setting::new(suite, Sizes::new(1, 1)?, u64::MAX);
    let config = EngineConfig::new(setting, provenance(true));
    Ok(Engine::new(config, EmbeddedKeyStore::new(&args.data_dir)))
}

const HEADER: [&str; 9] = [
    "circuit", "rows", "simd", "native", "ark-groth16", "ratio", "taceo-groth16", "ratio", "peak memory",
];

impl Outcome {
    fn line(&self) -> Vec<String> {
        let time = |seconds: f64| ui::seconds(Duration::from_secs_f64(seconds));
        vec![
            self.circuit.clone(),
            ui::grouped(self.rows as u64),
            self.simd.to_owned(),
            time(self.prove_s),
            time(self.stock_prove_s),
            self.speedup_vs_stock.to_string(),
            time(self.taceo_prove_s),
            self.speedup_vs_taceo.to_string(),
            [self.peak_rss_bytes, self.stock_peak_rss_bytes, self.taceo_peak_rss_bytes]
                .map(ui::bytes)
                .join(", "),
        ]
    }
}
