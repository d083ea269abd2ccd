//! The key stores that a command works on, and the keys that a name selects.

use std::sync::Arc;

use zkwhirl::cluster::{fleet_store, key_store};
use zkwhirl_keystore::{EmbeddedKeyStore, FleetKeyStore, KeyError, KeyFile, KeyStore};

use crate::{cli::PlaceArgs, shell::exit, ui};

impl PlaceArgs {
    pub(super) fn local(&self) -> EmbeddedKeyStore {
        EmbeddedKeyStore::new(&self.data_dir)
    }

    /// The keystore: the fleet's when there is one.
    pub(super) fn store(&self) -> Result<Arc<dyn KeyStore>, KeyError> {
        key_store(&self.data_dir, self.fleet.keys().as_ref())
    }

    /// The fleet's keystore, when a Redis was named.
    pub(super) fn fleet(&self) -> Result<Option<FleetKeyStore>, KeyError> {
        let fleet = self.fleet.keys();
        let store = fleet.map(|fleet| fleet_store(&self.data_dir, &fleet));
        store.transpose()
    }

    /// The keys that open, and the number of those that do not; each failure is
    /// printed.
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

    /// The one key that `name` names: a circuit, or the start of an id.
    pub(super) fn key(&self, name: &str) -> anyhow::Result<KeyFile> {
        let mut named = self.keys()?.0;
        named.retain(|key| is_named(key, name));
        match named.len() {
            0 => Err(self.missing(name)),
            1 => Ok(named.swap_remove(0)),
            keys => Err(exit::usage(anyhow::anyhow!(
                "{name} names {keys} keys: give the start of an id, see zkwhirl keys list"
            ))),
        }
    }

    /// The keys that `names` select; every name must select at least one key.
    /// Without names: all keys.
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
            "there is no key {name} in {directory}: zkwhirl keys list shows those that are there, \
             zkwhirl keys generate makes others"
        ))
    }
}

fn is_named(key: &KeyFile, name: &str) -> bool {
    // Four digits select one key of a small store and are too many to be typed
    // by mistake.
    key.circuit().name == name || (name.len() >= 4 && key.id().to_string().starts_with(name))
}
