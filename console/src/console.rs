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

/// The console of one bridge; clones are the same.
#[derive(Debug, Clone)]
pub struct Console {
    state: Arc<ConsoleState>,
}

impl Console {
    /// A console that follows its bridge from now on, on this runtime. Start
    /// it before the bridge takes jobs.
    pub fn start(config: ConsoleConfig) -> Self {
        let events = config.bridge.events().subscribe();
        let state = Arc::new(ConsoleState::new(config));
        tokio::spawn(follow::run(Arc::downgrade(&state), events));
        Self { state }
    }

    /// Its routes, from `/console` on.
    pub fn router(&self) -> Router {
        routes::router(self.state.clone())
    }
}
