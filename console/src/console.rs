use std::{fmt, sync::Arc};

use axum::Router;
use zkwhirl_bridge::{BridgeHandle, api::AdminToken};

use crate::{follow, routes, state::ConsoleState, views::KeyView};

/// The parts of a console.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// The bridge whose fleet the console shows.
    pub bridge: BridgeHandle,
    /// The proving keys of this machine.
    pub keys: Arc<dyn LocalKeys>,
    /// The operator's token; `None`: the console is read-only.
    pub token: Option<AdminToken>,
}

/// The proving keys of this machine.
pub trait LocalKeys: Send + Sync {
    /// Returns all keys. May block: the caller uses a thread for blocking work.
    fn keys(&self) -> Vec<KeyView>;
}

impl fmt::Debug for dyn LocalKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalKeys")
    }
}

/// Returns the routes of a console, all under `/console`, and starts to follow the
/// bridge on this runtime. Call this before the bridge takes jobs.
pub fn start(config: ConsoleConfig) -> Router {
    let events = config.bridge.events().subscribe();
    let state = Arc::new(ConsoleState::new(config));
    tokio::spawn(follow::run(Arc::downgrade(&state), events));
    routes::router(state)
}
