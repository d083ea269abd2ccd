use std::{fmt, sync::Arc};

use axum::Router;
use zkwhirl_bridge::{BridgeHandle, api::AdminToken};

use crate::{follow, routes, state::ConsoleState, views::KeyView};

/// What a console is made of.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// The bridge that it shows.
    pub bridge: BridgeHandle,
    /// The proving keys of this machine.
    pub keys: Arc<dyn LocalKeys>,
    /// The operator's token; `None`: the console is read-only.
    pub token: Option<AdminToken>,
}

/// The proving keys of this machine.
pub trait LocalKeys: Send + Sync {
    /// Each of them. It may block: it is called on a thread for blocking work.
    fn keys(&self) -> Vec<KeyView>;
}

impl fmt::Debug for dyn LocalKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalKeys")
    }
}

/// The routes of a console, from `/console` on. It follows its bridge from now
/// on, on this runtime: start it before the bridge takes jobs.
pub fn start(config: ConsoleConfig) -> Router {
    let events = config.bridge.events().subscribe();
    let state = Arc::new(ConsoleState::new(config));
    tokio::spawn(follow::run(Arc::downgrade(&state), events));
    routes::router(state)
}
