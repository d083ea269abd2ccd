//! The native engine's prover against `ark_groth16`'s, on the same key, matrices
//! and witness, in pairs.
//!
//! `cargo bench -p zkwhirl-prover --features test-util [-- REQUEST …]`; without
//! arguments a real claim in the pedersen suite. Keys are kept in
//! `target/bench-data`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::{env, fs, path::Path};

use zkwhirl_circuits::Suite;
use zkwhirl_job::{Request, Sizes};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, Setting, stock::compare};

const PAIRS: usize = 5;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    if files.is_empty() {
        let claim = root.join("tests/vectors/valid_claim_0_request.bin");
        files.push(claim.to_str().unwrap().to_owned());
    }
    let setting = Setting::new(Suite::Pedersen, Sizes::new(1, 1).unwrap(), 1 << 22);
    let config = EngineConfig::new(setting, Provenance::DevSeeded { seed: 1 });
    let store = EmbeddedKeyStore::new(&root.join("target/bench-data"));
    let mut engine = Engine::new(config, store);
    println!("rows       ark_groth16  native   ratio");
    for file in files {
        let request = Request::parse(&fs::read(&file).unwrap().into()).unwrap();
        let mut ratios = Vec::new();
        for _ in 0..PAIRS {
            let pair = compare(&mut engine, &request).unwrap();
            let (stock, native) = (pair.stock.as_secs_f64(), pair.native.as_secs_f64());
            ratios.push(stock / native);
            println!(
                "{:<10} {stock:>8.2} s  {native:>6.2} s  {:>5.2}",
                pair.rows,
                stock / native
            );
        }
        ratios.sort_by(f64::total_cmp);
        println!("median ratio {:.2}  {file}", ratios[PAIRS / 2]);
    }
}
