//! Benchmark of a worker's start with existing keys: zkWhirl's mapped files against
//! arkworks' encoding of the same keys, in pairs.
//!
//! `MALLOC_MMAP_THRESHOLD_=131072 cargo bench -p zkwhirl-prover --features
//! test-util --bench load`. Missing keys are made first, in `target/bench-data`; all
//! files are in the page cache. The variable has glibc's initial value; setting it
//! keeps the allocator from reusing memory, as in a process that has just
//! started.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::path::Path;

use tokio::time::Instant;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Sizes;
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{
    Engine, EngineConfig, Setting,
    stock::{Loading, compare_loading},
};

const PAIRS: usize = 21;

fn main() {
    let data_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-data");
    let engine = || {
        let setting = Setting::new(Suite::Poseidon, Sizes::new(1, 1).unwrap(), 1 << 22);
        let config = EngineConfig::new(setting, Provenance::DevSeeded { seed: 1 });
        Engine::new(config, EmbeddedKeyStore::new(&data_dir))
    };
    let mut circuits = engine().setting().circuits().unwrap();
    circuits.push("claim/pedersen".parse().unwrap());
    for circuit in &circuits {
        engine().key(circuit, &|_| {}).unwrap();
    }
    println!("CPU time of one thread");
    println!("circuit                  arkworks               native                 ratio");
    for circuit in circuits {
        let keys = EmbeddedKeyStore::new(&data_dir).list().unwrap();
        let mut keys = keys.into_iter().map(Result::unwrap);
        let key = keys.find(|key| key.circuit().name == circuit.to_string());
        let scratch = data_dir.join("arkworks");
        let mut pairs = compare_loading(key.unwrap().path(), &scratch, PAIRS).unwrap();
        pairs.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        for pair in &pairs {
            let megabytes = |bytes: u64| bytes as f64 / 1e6;
            println!(
                "{:<22} {:>7.1} MB {:>7.1} ms  {:>7.1} MB {:>7.1} ms {:>8.1}",
                circuit.to_string(),
                megabytes(pair.stock_bytes),
                pair.stock.as_secs_f64() * 1e3,
                megabytes(pair.native_bytes),
                pair.native.as_secs_f64() * 1e3,
                ratio(pair),
            );
        }
        let started = Instant::now();
        engine().key(&circuit, &|_| {}).unwrap();
        println!(
            "median ratio {:.1}  {circuit}; a new engine has it after {:.0} ms",
            ratio(&pairs[PAIRS / 2]),
            started.elapsed().as_secs_f64() * 1e3
        );
    }
}

fn ratio(pair: &Loading) -> f64 {
    pair.stock.as_secs_f64() / pair.native.as_secs_f64()
}
