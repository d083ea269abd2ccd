//! The engine's configuration.

use zkwhirl_keystore::Provenance;

use crate::native::setting::Setting;

/// The circuits and the keys of an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The suite, the sizes and the largest circuit.
    pub setting: Setting,
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

impl EngineConfig {
    /// Keys are loaded when they are needed, and their files stay. Development
    /// keys are allowed exactly if missing keys are made as development keys.
    pub fn new(setting: Setting, provenance: Provenance) -> Self {
        Self {
            setting,
            allow_dev_keys: provenance.is_insecure(),
            provenance,
            lazy_init: true,
            persist: true,
        }
    }
}
