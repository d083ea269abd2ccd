//! Prepares keys before a worker claims its first job.

use std::{env, path::Path};

use anyhow::Context;
use tempfile::TempDir;
use zkwhirl::cluster::NativeProvers;
use zkwhirl_prover::native::{Engine, EngineConfig, EngineError};

use crate::{
    cli::KeyArgs,
    shell::exit,
    ui::{self, bar::Bar},
};

/// Without `PERSIST`, creates a temporary folder and makes it the data directory
/// of `keys`. Dropping the returned value removes the folder.
pub(super) fn place(keys: &mut KeyArgs) -> anyhow::Result<Option<TempDir>> {
    if keys.persist {
        return Ok(None);
    }
    let folder = temporary()?;
    keys.data_dir = folder.path().to_owned();
    Ok(Some(folder))
}

/// Creates a folder for keys that is removed when the value is dropped.
pub(super) fn temporary() -> anyhow::Result<TempDir> {
    let beside = env::temp_dir();
    let folder = tempfile::Builder::new().prefix("zkwhirl-keys-").tempdir();
    folder.with_context(|| format!("cannot create a folder for keys in {}", beside.display()))
}

/// Fails if a circuit is too large. Unless `lazy`, loads or generates all keys,
/// before the worker claims its first job.
pub(super) fn native(provers: &NativeProvers, lazy: bool) -> anyhow::Result<()> {
    // The key files stay, because the children use them.
    let config = EngineConfig {
        lazy_init: lazy,
        ..provers.engine_config()
    };
    let mut engine = Engine::new(config, provers.key_store()?);
    let bar = Bar::start("keys");
    let ready = engine.start(&|_| true, &|_, progress| bar.show(progress));
    bar.finish();
    ready.map_err(at_start)?;
    for (_, key) in engine.loaded() {
        let (circuit, id) = (&key.circuit.name, key.id.to_string());
        ui::say(&format!("key {circuit}  {}  {}", &id[..8], key.provenance));
    }
    Ok(())
}

/// Marks a circuit that is too large as a configuration error: exit code 2.
pub(super) fn at_start(error: EngineError) -> anyhow::Error {
    match error {
        EngineError::TooLarge { .. } => exit::usage(error),
        other => other.into(),
    }
}

/// Removes a folder when the process must exit without dropping its values.
pub(super) fn forget(folder: Option<&Path>) {
    if let Some(folder) = folder {
        // The process is exiting: an error cannot be reported.
        let _ = std::fs::remove_dir_all(folder);
    }
}
