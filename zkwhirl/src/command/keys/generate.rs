//! `zkwhirl keys generate`.

use std::process::ExitCode;

use zkwhirl::cluster::Rollups;
use zkwhirl_keystore::{EmbeddedKeyStore, KeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, Setting, import_powers};

use super::KeyLine;
use crate::{
    cli::GenerateArgs,
    shell::exit,
    ui::{self, bar::Bar},
};

pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<ExitCode> {
    if !args.keys.persist {
        return Err(exit::usage(anyhow::anyhow!(
            "PERSIST=false stores no keys, so generating them has no effect"
        )));
    }
    let store = EmbeddedKeyStore::new(&args.keys.data_dir);
    let Rollups { suite, sizes } = args.rollup.rollups()?;
    let setting = Setting::new(suite, sizes, args.keys.max_circuit_size);
    let provenance = match args.dev_seed {
        Some(seed) => Provenance::DevSeeded { seed },
        None => Provenance::SingleParty,
    };
    let mut engine = Engine::new(EngineConfig::new(setting, provenance), store.clone());
    let mut lines = Vec::new();
    let circuits = match args.circuit {
        Some(one) => vec![one],
        None => engine.setting().circuits().map_err(exit::usage)?,
    };
    for circuit in circuits {
        let bar = Bar::start(&circuit.to_string());
        if let Some(ptau) = &args.ptau {
            import_powers(&store, &circuit, ptau, &|step| bar.step(step))?;
        }
        let key = engine.key(&circuit, &|progress| bar.show(progress));
        bar.finish();
        let file = KeyStore::find(&store, &key?.circuit)?;
        let made = file.as_ref().map(KeyLine::of);
        if !args.json {
            made.iter().for_each(|line| ui::say(&line.text()));
        }
        lines.extend(made);
    }
    if args.json {
        ui::say(&serde_json::to_string_pretty(&lines)?);
    }
    Ok(ExitCode::SUCCESS)
}
