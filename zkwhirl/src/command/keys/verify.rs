//! `zkwhirl keys verify`: checks a key in full and makes a proof under the key.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use serde::Serialize;
use zkwhirl_circuits::Circuit;
use zkwhirl_job::Sizes;
use zkwhirl_keystore::{EmbeddedKeyStore, KeyFile, KeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, Setting, audit};

use super::{sample, short};
use crate::{
    cli::KeysVerifyArgs,
    ui::{self, bar::Bar},
};

/// A key's verdict in `--json`.
#[derive(Debug, Serialize)]
struct KeyVerdict {
    circuit: String,
    id: String,
    provenance: String,
    good: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn run(args: &KeysVerifyArgs) -> anyhow::Result<ExitCode> {
    let (keys, mut bad) = args.place.named(&args.keys)?;
    let store = args.place.local();
    let mut verdicts = Vec::new();
    for key in &keys {
        let (circuit, id) = (key.circuit().name.clone(), key.id().to_string());
        let bar = Bar::start(&circuit);
        let checked = check(key, &store, &bar);
        bar.finish();
        let problem = checked.err().map(|error| format!("{error:#}"));
        let (provenance, rows) = (key.provenance().to_string(), key.circuit().rows);
        if !args.place.json {
            let start = short(&id);
            ui::say(&match &problem {
                None => format!(
                    "✓ {circuit}  {start}  {} rows; checksum, points and a sample proof are valid  {provenance}",
                    ui::grouped(rows)
                ),
                Some(problem) => format!("✗ {circuit}  {start}  {problem}"),
            });
        }
        bad += usize::from(problem.is_some());
        verdicts.push(KeyVerdict {
            circuit,
            id,
            provenance,
            good: problem.is_none(),
            problem,
        });
    }
    if args.place.json {
        ui::say(&serde_json::to_string_pretty(&verdicts)?);
    } else if verdicts.is_empty() && bad == 0 {
        ui::say("no keys to verify");
    }
    anyhow::ensure!(
        bad == 0,
        "{bad} keys are invalid: run zkwhirl keys remove, then generate or import them again"
    );
    Ok(ExitCode::SUCCESS)
}

fn check(key: &KeyFile, store: &EmbeddedKeyStore, bar: &Bar) -> anyhow::Result<()> {
    let circuit = audit(key, &|step| bar.step(step))?;
    let used = store.path(key.circuit());
    anyhow::ensure!(
        used == key.path(),
        "the file's name is not the circuit's key name; zkWhirl only reads {}",
        used.display()
    );
    proof(circuit, Arc::new(store.clone()), bar)
}

/// Makes and verifies a sample proof under a store's key for a circuit.
pub(super) fn proof(circuit: Circuit, store: Arc<dyn KeyStore>, bar: &Bar) -> anyhow::Result<()> {
    // No request is proved, so the sizes have no effect.
    let setting = Setting::new(circuit.suite, Sizes::new(1, 1)?, u64::MAX);
    let config = EngineConfig {
        allow_dev_keys: true,
        ..EngineConfig::new(setting, Provenance::SingleParty)
    };
    let witness = sample::witness(circuit)?;
    Engine::new(config, store)
        .try_key(circuit, witness, &|progress| bar.show(progress))
        .context("a sample proof under the key does not verify")
}
