//! What a bridge is made of.

use std::{sync::Arc, time::Duration};

use rand::Rng;
use zkwhirl_broker_adapter::Broker;
use zkwhirl_job::Sizes;
use zkwhirl_ledger::{Ledger, events::Events};

use crate::{
    falafel::{LeaseConfig, Upstream},
    gate::ReplyVerifier,
    jobs::ClientVks,
};

/// Settings of a bridge.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// The bridge's name in the ledger: unique, and the same after a restart, as
    /// the name of a host or a pod. A bridge that starts under the name of one
    /// that was killed takes over that one's tickets at once; under another name
    /// it has to wait until the dead bridge's heartbeat has ended.
    pub name: String,
    /// Falafel's job servers. Their names are kept in the ledger.
    pub upstreams: Vec<Upstream>,
    /// The sizes of rollups that Falafel and the provers are built for.
    pub sizes: Sizes,
    /// Requests of up to this many bytes travel in the message; larger requests
    /// stay in the ledger, and the message refers to them.
    pub inline_bytes: usize,
    /// Attempts before a job is parked; an attempt whose proof did not verify
    /// counts. Workers must have the same setting.
    pub max_attempts: u32,
    /// How tickets are kept alive.
    pub leases: LeaseConfig,
    /// Periods and time limits.
    pub timing: Timing,
}

/// Periods and time limits of a bridge.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The longest pause before something is tried again.
    pub longest_pause: Duration,
    /// The time between two comparisons of ledger and broker.
    pub reconcile_every: Duration,
    /// The time between two readings of ledger and broker for the metrics.
    pub sample_every: Duration,
    /// How long a Falafel that remembers may take to issue a lapsed ticket
    /// again: its 5–6 s, the last ping's age and a poller's pause.
    pub reissue: Duration,
    /// What each broken long poll may add to that, as a ghost.
    pub ghost: Duration,
    /// The time between two heartbeats, and between two looks for the tickets
    /// of bridges that have none.
    pub heartbeat_every: Duration,
    /// How long a heartbeat lasts. Together with `heartbeat_every` it must be
    /// below Falafel's 5 s; else Falafel issues the tickets of a dead bridge again
    /// before another bridge pings them.
    pub heartbeat_ttl: Duration,
    /// The longest pause between two checks of a reply that could not be
    /// checked.
    pub recheck_every: Duration,
    /// How long a reply may stay unverified before its job is proved again.
    pub unverified_for: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            longest_pause: Duration::from_secs(1),
            reconcile_every: Duration::from_secs(10),
            sample_every: Duration::from_secs(5),
            reissue: Duration::from_secs(9),
            ghost: Duration::from_secs(6),
            heartbeat_every: Duration::from_secs(1),
            heartbeat_ttl: Duration::from_secs(3),
            recheck_every: Duration::from_secs(10),
            unverified_for: Duration::from_secs(600),
        }
    }
}

impl Timing {
    /// Ghost pollers that a window allows for at most.
    const GHOSTS: u64 = 3;

    /// How long a Falafel that remembers may take to issue a lapsed ticket
    /// again, behind so many ghost pollers.
    pub(crate) fn reissue_window(&self, ghosts: u64) -> Duration {
        self.reissue + self.ghost * ghosts.min(Self::GHOSTS) as u32
    }
}

impl BridgeConfig {
    /// Production's settings. The name is random and differs at each start: a
    /// fleet needs lasting names.
    pub fn new(upstreams: Vec<Upstream>, sizes: Sizes) -> Self {
        Self {
            name: format!("bridge-{:08x}", rand::thread_rng().r#gen::<u32>()),
            upstreams,
            sizes,
            inline_bytes: 64 << 10,
            max_attempts: 5,
            leases: LeaseConfig::default(),
            timing: Timing::default(),
        }
    }
}

/// What a bridge is connected to.
#[derive(Debug, Clone)]
pub struct BridgeDeps {
    /// Where jobs go and results come from.
    pub broker: Arc<dyn Broker>,
    /// Tickets, jobs, requests and results.
    pub ledger: Arc<dyn Ledger>,
    /// What every reply must pass.
    pub verifier: Arc<dyn ReplyVerifier>,
    /// The stream of what happens to jobs.
    pub events: Events,
    /// The store of the clients' verification keys, if there is one.
    pub client_vks: Option<Arc<dyn ClientVks>>,
}
