//! `zkwhirl keys export`.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::Serialize;
use zkwhirl_circuits::Circuit;
use zkwhirl_keystore::{VkFile, VkFolder};
use zkwhirl_prover::native::{VerificationKey, snarkjs_vk, solidity, write_r1cs};

use crate::{cli::ExportArgs, shell::exit, ui};

/// One written file in `--json`.
#[derive(Debug, Serialize)]
struct Written {
    what: &'static str,
    path: PathBuf,
    bytes: u64,
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let mut written = Vec::new();
    let mut done = |what, path: &Path| -> anyhow::Result<()> {
        let bytes = fs::metadata(path)?.len();
        let path = path.to_owned();
        if !args.place.json {
            ui::say(&format!("{what}  {}  {}", path.display(), ui::bytes(bytes)));
        }
        written.push(Written { what, path, bytes });
        Ok(())
    };
    if let Some(folder) = &args.vks {
        let folder = VkFolder::new(folder);
        let (keys, _) = args.place.keys()?;
        let place = args.place.data_dir.display();
        anyhow::ensure!(!keys.is_empty(), "no keys in {place}");
        for key in keys {
            done("verification key", &folder.put(&VkFile::of(&key))?)?;
        }
    }
    let name = args.name.as_deref().unwrap_or_default();
    if let Some(path) = &args.r1cs {
        let circuit = name.parse::<Circuit>().ok();
        let circuit = circuit
            .with_context(|| format!("{name} is not a circuit: see zkwhirl keys circuits"))
            .map_err(exit::usage)?;
        let written = File::create(path)
            .and_then(|file| write_r1cs(&circuit.matrices(), &mut BufWriter::new(file)));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        done("circuit", path)?;
    }
    let of_key = [&args.key, &args.vk, &args.solidity, &args.snarkjs];
    if of_key.iter().any(|path| path.is_some()) {
        let file = args.place.key(name)?;
        let key = VerificationKey::load(&file)?;
        let json = serde_json::to_string_pretty(&snarkjs_vk(&key))?;
        for (what, path, bytes) in [
            ("key", &args.key, file.as_bytes()),
            ("verification key", &args.vk, file.vk()),
            ("contract", &args.solidity, solidity(&file, &key).as_bytes()),
            ("snarkjs key", &args.snarkjs, json.as_bytes()),
        ] {
            let Some(path) = path else { continue };
            fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            done(what, path)?;
        }
    }
    if args.place.json {
        ui::say(&serde_json::to_string_pretty(&written)?);
    }
    Ok(ExitCode::SUCCESS)
}
