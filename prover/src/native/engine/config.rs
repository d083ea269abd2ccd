//! The engine's configuration.

use std::path::PathBuf;

use zkwhirl_circuits::Suite;
use zkwhirl_job::Sizes;
use zkwhirl_keystore::Provenance;

/// The circuits and the keys of an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The hashes of the statements.
    pub suite: Suite,
    /// The sizes that the circuits are made for.
    pub sizes: Sizes,
    /// The directory of the keys.
    pub data_dir: PathBuf,
    /// The largest domain that a circuit may need, in rows.
    pub max_circuit_size: u64,
    /// The provenance of a key that is missing and has to be made.
    pub provenance: Provenance,
    /// Whether development keys may be used.
    pub allow_dev_keys: bool,
    /// `LAZY_INIT`: a key is loaded, or made, when the first request needs it,
    /// and not by [`Engine::start`](super::Engine::start).
    pub lazy_init: bool,
    /// `PERSIST`: key files stay. If false, each file is removed as soon as it
    /// is mapped; no other process may use the same store.
    pub persist: bool,
}
