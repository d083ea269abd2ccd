use std::sync::Arc;

use axum::Router;

use crate::{ConsoleConfig, follow, routes, state::ConsoleState};

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
