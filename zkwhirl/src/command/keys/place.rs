//! The keystores of a command, and the keys that a name selects.

use std::sync::Arc;

use zkwhirl::cluster::{fleet_store, key_store};
use zkwhirl_keystore::{EmbeddedKeyStore, FleetKeyStore, KeyError, KeyFile, KeyStore};

use crate::{cli::PlaceArgs, shell::exit, ui};

impl PlaceArgs {
    pub(super) fn local(&self) -> EmbeddedKeyStore {
        EmbeddedKeyStore::new(&self.data_dir)
    }

    /// Opens the keystore, shared with the fleet if a Redis was named.
    pub(super) fn store(&self) -> Result<Arc<dyn KeyStore>, KeyError> {
        key_store(&self.data_dir, self.fleet.keys().as_ref())
    }

    /// Opens the fleet's keystore; `None` if no Redis was named.
    pub(super) fn fleet(&self) -> Result<Option<FleetKeyStore>, KeyError> {
        let fleet = self.fleet.keys();
        let store = fleet.map(|fleet| fleet_store(&self.data_dir, &fleet));
        store.transpose()
    }

    /// The valid keys in the data directory, and the number of invalid ones, for
    /// each of which the error is printed.
    pub(super) fn keys(&self) -> Result<(Vec<KeyFile>, usize), KeyError> {
        let mut keys = Vec::new();
        let mut bad = 0;
        for key in self.local().list()? {
            match key {
                Ok(key) => keys.push(key),
                Err(error) => {
                    bad += 1;
                    ui::complain(&format!("zkwhirl: {error}"));
                }
            }
        }
        Ok((keys, bad))
    }

    /// The key that `name` selects: a circuit's name, or the beginning of an id.
    /// Fails unless exactly one key matches.
    pub(super) fn key(&self, name: &str) -> anyhow::Result<KeyFile> {
        let mut named = self.keys()?.0;
        named.retain(|key| is_named(key, name));
        match named.len() {
            0 => Err(self.missing(name)),
            1 => Ok(named.swap_remove(0)),
            keys => Err(exit::usage(anyhow::anyhow!(
                "{name} selects {keys} keys: give the beginning of one id, see zkwhirl keys list"
            ))),
        }
    }

    /// The keys that `names` select, or all keys without names, and the number of
    /// invalid keys. Fails if a name selects no key.
    pub(super) fn named(&self, names: &[String]) -> anyhow::Result<(Vec<KeyFile>, usize)> {
        let (mut keys, bad) = self.keys()?;
        if names.is_empty() {
            return Ok((keys, bad));
        }
        for name in names {
            if !keys.iter().any(|key| is_named(key, name)) {
                return Err(self.missing(name));
            }
        }
        keys.retain(|key| names.iter().any(|name| is_named(key, name)));
        Ok((keys, 0))
    }

    fn missing(&self, name: &str) -> anyhow::Error {
        let directory = self.local().directory().display().to_string();
        exit::usage(anyhow::anyhow!(
            "there is no key {name} in {directory}: zkwhirl keys list shows the stored keys, \
             zkwhirl keys generate makes missing ones"
        ))
    }
}

fn is_named(key: &KeyFile, name: &str) -> bool {
    // Four digits are unique in a small store, and are not typed by mistake.
    key.circuit().name == name || (name.len() >= 4 && key.id().to_string().starts_with(name))
}
