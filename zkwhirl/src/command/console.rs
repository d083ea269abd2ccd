//! The console of a process with a bridge, on the admin address.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use zkwhirl_bridge::{BridgeHandle, api::AdminToken};
use zkwhirl_console::{ConsoleConfig, LocalKeys, views::KeyView};
use zkwhirl_keystore::{EmbeddedKeyStore, KeyFile};

use crate::{cli::OperatorArgs, shell::admin::Admin};

/// Serves a bridge's console on the admin address and returns the line that
/// names its URL. Call it before the bridge takes jobs, so that the console
/// misses no event.
pub(super) fn serve(
    admin: &Admin,
    bridge: &BridgeHandle,
    operator: &OperatorArgs,
    data_dir: &Path,
) -> String {
    let console = zkwhirl_console::start(ConsoleConfig {
        bridge: bridge.clone(),
        keys: Arc::new(KeyFolder {
            directory: EmbeddedKeyStore::new(data_dir).directory().to_owned(),
            seen: Mutex::default(),
        }),
        token: operator.operator_token.as_deref().map(AdminToken::new),
    });
    admin.mount(console);
    let acting = match operator.operator_token {
        Some(_) => "actions need the operator's token",
        None => "read-only without ZKWHIRL_OPERATOR_TOKEN",
    };
    format!("console at http://{}/console ({acting})", admin.address)
}

/// The length and modification time of a file at its last check.
type Stamp = (u64, SystemTime);

/// The keys of this machine. A key's checksum is verified again only when its
/// file's length or modification time has changed.
struct KeyFolder {
    directory: PathBuf,
    seen: Mutex<BTreeMap<PathBuf, (Stamp, KeyView)>>,
}

impl LocalKeys for KeyFolder {
    fn keys(&self) -> Vec<KeyView> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *seen);
        for entry in fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let is_key = path.extension().is_some_and(|ending| ending == "key");
            let Some(stamp) = stamp(&path).filter(|_| is_key) else {
                continue;
            };
            let known = before.remove(&path).filter(|(then, _)| *then == stamp);
            let key = known.unwrap_or_else(|| (stamp, key(&path)));
            seen.insert(path, key);
        }
        seen.values().map(|(_, key)| key.clone()).collect()
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some((file.len(), file.modified().ok()?))
}

fn key(path: &Path) -> KeyView {
    match KeyFile::inspect(path) {
        Ok(file) => KeyView {
            circuit: file.circuit().name.clone(),
            id: file.id().to_string(),
            rows: file.circuit().rows,
            bytes: file.bytes(),
            vk: file.vk_digest(),
            provenance: file.provenance().to_string(),
            insecure: file.provenance().is_insecure(),
            error: None,
        },
        Err(error) => KeyView {
            circuit: path.file_stem().unwrap_or_default().display().to_string(),
            bytes: stamp(path).map_or(0, |(bytes, _)| bytes),
            error: Some(error.to_string()),
            ..KeyView::default()
        },
    }
}
