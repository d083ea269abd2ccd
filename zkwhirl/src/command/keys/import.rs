//! `zkwhirl keys import`.

use std::{fs, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context;
use zkwhirl::cluster::client_circuit;
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_job::Kind;
use zkwhirl_keystore::{CLIENT_VK_BYTES, EmbeddedKeyStore, KeyFile, KeyStore};
use zkwhirl_prover::native::{audit, import_key, import_zkey};

use super::{KeyLine, verify};
use crate::{
    cli::ImportArgs,
    shell::files,
    ui::{self, bar::Bar},
};

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let store = args.place.store()?;
    for (kind, file) in [
        (Kind::JoinSplitVk, &args.join_split_vk),
        (Kind::AccountVk, &args.account_vk),
    ] {
        let Some(file) = file else { continue };
        let (suite, bytes) = (
            args.suite,
            client_vk(store.as_ref(), args.suite, kind, file)?,
        );
        if !args.place.json {
            ui::say(&format!("{kind} of {suite} clients: {bytes} bytes stored"));
        }
    }
    if args.key.is_none() && args.zkey.is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    // The key enters the store only after a proof under the key was verified.
    // Until then the key is in a temporary store.
    let data_dir = &args.place.data_dir;
    fs::create_dir_all(data_dir)
        .with_context(|| format!("cannot create {}", data_dir.display()))?;
    let beside = tempfile::Builder::new()
        .prefix("import-")
        .tempdir_in(data_dir)
        .with_context(|| format!("cannot create a folder in {}", data_dir.display()))?;
    let staging = EmbeddedKeyStore::new(beside.path());
    let bar = Bar::start("import");
    let key = stage(args, &staging, &bar).and_then(|(circuit, key)| {
        verify::proof(circuit, Arc::new(staging.clone()), &bar)?;
        Ok(import_key(store.as_ref(), &key)?)
    });
    bar.finish();
    let key = key?;
    let line = KeyLine::of(&key);
    ui::say(&match args.place.json {
        true => serde_json::to_string_pretty(&line)?,
        false => line.text(),
    });
    Ok(ExitCode::SUCCESS)
}

/// Imports the key into the temporary store and checks every point.
fn stage(
    args: &ImportArgs,
    staging: &EmbeddedKeyStore,
    bar: &Bar,
) -> anyhow::Result<(Circuit, KeyFile)> {
    let step = |step| bar.step(step);
    if let (Some(circuit), Some(zkey)) = (args.circuit, &args.zkey) {
        let key = import_zkey(staging, &circuit, zkey, args.ptau.as_deref(), &step)?;
        return Ok((circuit, key));
    }
    let path = args.key.as_deref().context("no key was given")?;
    let file = KeyFile::inspect(path)?;
    let circuit = audit(&file, &step)?;
    Ok((circuit, import_key(staging, &file)?))
}

/// Stores a client circuit's verification key; returns its length in bytes.
fn client_vk(store: &dyn KeyStore, suite: Suite, kind: Kind, file: &Path) -> anyhow::Result<usize> {
    let circuit = client_circuit(suite, kind).context("no client circuit has this kind")?;
    let vk = files::read(file, "a verification key", CLIENT_VK_BYTES)?;
    store.import_client_vk(&circuit, &vk)?;
    Ok(vk.len())
}
