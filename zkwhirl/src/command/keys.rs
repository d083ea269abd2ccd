//! `zkwhirl keys`: circuits and the keys that are there.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use serde::Serialize;
use zkwhirl::cluster::{FleetKeys, client_circuit, key_store};
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_job::{Kind, Sizes};
use zkwhirl_keystore::{
    CLIENT_VK_BYTES, EmbeddedKeyStore, KeyFile, KeyStore, Provenance, SectionSummary, VkFile,
    VkFolder,
};
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};

use crate::{
    cli::{KeyArgs, KeysCommand, RollupArgs},
    shell::exit,
    ui::{self, bar::Bar, table::table},
};

pub(super) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::Circuits {
            suite,
            txs,
            inners,
            max_circuit_size,
            json,
        } => {
            let sizes = Sizes::new(txs, inners).map_err(exit::usage)?;
            circuits(suite, sizes, max_circuit_size, json)
        }
        KeysCommand::List { data_dir, json } => list(&data_dir, json),
        KeysCommand::Import {
            suite,
            join_split_vk,
            account_vk,
            data_dir,
            redis_url,
            namespace,
        } => {
            let fleet = redis_url.map(|redis_url| FleetKeys {
                redis_url,
                namespace,
                share: None,
            });
            let store = key_store(&data_dir, fleet.as_ref())?;
            let files = [
                (Kind::JoinSplitVk, join_split_vk),
                (Kind::AccountVk, account_vk),
            ];
            for (kind, file) in files {
                if let Some(file) = file {
                    import(store.as_ref(), suite, kind, &file)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Export { data_dir, to } => export(&data_dir, &to),
        KeysCommand::Generate {
            rollup,
            keys,
            dev_seed,
        } => generate(&rollup, &keys, dev_seed),
    }
}

#[derive(Debug, Serialize)]
struct CircuitLine {
    circuit: String,
    /// Proofs by it of a full inner rollup, or of a claim.
    proofs: usize,
    rows: usize,
    domain_log2: u32,
    parts: Vec<(String, usize)>,
}

fn circuits(
    only: Option<Suite>,
    sizes: Sizes,
    max_circuit_size: u64,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut lines = Vec::new();
    for suite in Suite::ALL {
        if only.is_none_or(|only| only == suite) {
            let setting = Setting::new(suite, sizes, max_circuit_size);
            let circuits = setting.circuits().map_err(exit::usage)?;
            lines.extend(
                circuits
                    .into_iter()
                    .map(|circuit| describe(circuit, &setting)),
            );
        }
    }
    if json {
        ui::say(&serde_json::to_string_pretty(&lines)?);
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines {
        ui::say(&format!(
            "{}   {}{} rows, domain 2^{}",
            line.circuit,
            match line.proofs {
                1 => String::new(),
                proofs => format!("{proofs} proofs of "),
            },
            ui::grouped(line.rows as u64),
            line.domain_log2
        ));
        let rows = line
            .parts
            .into_iter()
            .map(|(part, rows)| vec![format!("  {part}"), ui::grouped(rows as u64)])
            .collect();
        ui::say(&format!(
            "{}\n",
            table(&["  part", "rows"], &["rows"], rows)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(circuit: Circuit, setting: &Setting) -> CircuitLine {
    let parts: Vec<(String, usize)> = circuit
        .rows()
        .into_iter()
        .map(|(part, rows)| (part.to_owned(), rows))
        .collect();
    let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
    CircuitLine {
        circuit: circuit.to_string(),
        proofs: setting.proofs(&circuit),
        rows,
        domain_log2: (rows + 2).next_power_of_two().ilog2(),
        parts,
    }
}

fn import(store: &dyn KeyStore, suite: Suite, kind: Kind, file: &Path) -> anyhow::Result<()> {
    let circuit = client_circuit(suite, kind).context("no client circuit has this kind")?;
    let context = || format!("cannot read {}", file.display());
    let length = fs::metadata(file).with_context(context)?.len();
    anyhow::ensure!(
        length <= CLIENT_VK_BYTES as u64,
        "{} has {length} bytes, a verification key has at most {CLIENT_VK_BYTES}",
        file.display()
    );
    store.import_client_vk(&circuit, &fs::read(file).with_context(context)?)?;
    ui::say(&format!("{kind} of {suite} clients: {length} bytes kept"));
    Ok(())
}

#[derive(Debug, Serialize)]
struct KeyLine {
    circuit: String,
    id: String,
    rows: u64,
    provenance: String,
    bytes: u64,
    path: String,
    sections: Vec<SectionSummary>,
}

fn list(data_dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let store = EmbeddedKeyStore::new(data_dir);
    let mut keys = Vec::new();
    let mut damaged = 0;
    for key in store.list()? {
        match key {
            Ok(key) => keys.push(line(&key)),
            Err(error) => {
                damaged += 1;
                ui::complain(&format!("zkwhirl: {error}"));
            }
        }
    }
    if json {
        ui::say(&serde_json::to_string_pretty(&keys)?);
    } else if keys.is_empty() && damaged == 0 {
        ui::say(&format!(
            "no keys in {} yet: zkwhirl demo or zkwhirl keys generate makes them",
            store.directory().display()
        ));
    } else {
        let rows = keys
            .into_iter()
            .map(|key| {
                vec![
                    key.circuit,
                    ui::grouped(key.rows),
                    key.id.chars().take(8).collect(),
                    ui::bytes(key.bytes),
                    key.provenance,
                ]
            })
            .collect();
        let header = ["circuit", "rows", "key", "size", "provenance"];
        ui::say(&table(&header, &["rows", "size"], rows));
    }
    anyhow::ensure!(damaged == 0, "{damaged} keys are damaged");
    Ok(ExitCode::SUCCESS)
}

fn export(data_dir: &Path, to: &Path) -> anyhow::Result<ExitCode> {
    let (store, folder) = (EmbeddedKeyStore::new(data_dir), VkFolder::new(to));
    let keys = store.list()?;
    let place = store.directory().display();
    anyhow::ensure!(!keys.is_empty(), "no keys in {place}");
    for key in keys {
        let file = VkFile::of(&key?)?;
        let path = folder.put(&file)?;
        ui::say(&format!(
            "{}  {}  {}",
            file.circuit.name,
            file.provenance,
            path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(key: &KeyFile) -> KeyLine {
    KeyLine {
        circuit: key.circuit().name.clone(),
        id: key.id().to_string(),
        rows: key.circuit().rows,
        provenance: key.provenance().to_string(),
        bytes: key.bytes(),
        path: key.path().display().to_string(),
        sections: key.sections(),
    }
}

fn generate(
    rollup: &RollupArgs,
    keys: &KeyArgs,
    dev_seed: Option<u64>,
) -> anyhow::Result<ExitCode> {
    let mut engine = Engine::new(EngineConfig {
        suite: rollup.suite,
        sizes: rollup.sizes().map_err(exit::usage)?,
        data_dir: keys.data_dir.clone(),
        max_circuit_size: keys.max_circuit_size,
        provenance: match dev_seed {
            Some(seed) => Provenance::DevSeeded { seed },
            None => Provenance::SingleParty,
        },
        allow_dev_keys: dev_seed.is_some(),
    });
    for circuit in engine.setting().circuits().map_err(exit::usage)? {
        let bar = Bar::start(&circuit.to_string());
        let key = engine.key(&circuit, &|progress| bar.show(progress));
        bar.finish();
        let key = key?;
        ui::say(&format!(
            "{circuit}  {} rows  key {}  {}",
            ui::grouped(key.rows() as u64),
            &key.id().to_string()[..8],
            key.provenance()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
