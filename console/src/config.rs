use std::{fmt, sync::Arc};

use zkwhirl_bridge::{BridgeHandle, api::AdminToken};

use crate::views::KeyView;

/// The proving keys of this machine.
pub trait Keys: Send + Sync {
    /// Each of them. It may block: it is called on a thread for blocking work.
    fn keys(&self) -> Vec<KeyView>;
}

impl fmt::Debug for dyn Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// What a console is made of.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// The bridge that it shows.
    pub bridge: BridgeHandle,
    /// The proving keys of this machine.
    pub keys: Arc<dyn Keys>,
    /// The operator's token; `None`: the console is read-only.
    pub token: Option<AdminToken>,
}
