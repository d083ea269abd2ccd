//! The settings and parts of a bridge.

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
    /// The bridge's name in the ledger: unique, and the same after a restart, such as
    /// the name of a host or a pod. A bridge that starts under the name of a killed
    /// bridge takes over its tickets at once; a bridge of another name has to wait until
    /// the dead bridge's heartbeat has expired.
    pub name: String,
    /// Falafel's job servers, whose names are stored in the ledger.
    pub upstreams: Vec<Upstream>,
    /// The sizes of rollups that Falafel and the provers are built for.
    pub sizes: Sizes,
    /// Requests of up to this many bytes travel in the message; larger requests
    /// stay in the ledger, and the message refers to them.
    pub inline_bytes: usize,
    /// How many attempts a job has before it is a dead letter; an attempt whose proof
    /// did not verify counts. Workers must have the same number.
    pub max_attempts: u32,
    /// How tickets are kept alive.
    pub leases: LeaseConfig,
    /// Periods and time limits.
    pub timing: Timing,
}

/// Periods and time limits of a bridge.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The longest pause before an operation is tried again.
    pub longest_pause: Duration,
    /// The time between two comparisons of ledger and broker.
    pub reconcile_every: Duration,
    /// The time between two readings of ledger and broker for the metrics.
    pub sample_every: Duration,
    /// How long a Falafel that has not restarted may take to issue a lapsed ticket
    /// again: its 5–6 s, the last ping's age and a poller's pause.
    pub reissue: Duration,
    /// How much each broken long poll, a ghost poller, may add to `reissue`.
    pub ghost: Duration,
    /// The time between two heartbeats, and between two searches for the tickets of
    /// bridges without a heartbeat.
    pub heartbeat_every: Duration,
    /// How long a heartbeat is valid. The sum with `heartbeat_every` must be below
    /// Falafel's 5 s; otherwise Falafel issues the tickets of a dead bridge again before
    /// another bridge pings them.
    pub heartbeat_ttl: Duration,
    /// The longest pause between two attempts to verify a reply that cannot be checked yet.
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
    /// How many ghost pollers a window allows for, at most.
    const GHOSTS: u64 = 3;

    /// How long a Falafel that has not restarted may take to issue a lapsed ticket
    /// again, behind this many ghost pollers.
    pub(crate) fn reissue_window(&self, ghosts: u64) -> Duration {
        self.reissue + self.ghost * ghosts.min(Self::GHOSTS) as u32
    }
}

impl BridgeConfig {
    /// The default settings. The name is random and differs at each start; a fleet
    /// needs lasting names.
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

/// The services that a bridge uses.
#[derive(Debug, Clone)]
pub struct BridgeDeps {
    /// The broker, which takes jobs and delivers results.
    pub broker: Arc<dyn Broker>,
    /// The store of tickets, jobs, requests and results.
    pub ledger: Arc<dyn Ledger>,
    /// Verifies every reply before it is delivered.
    pub verifier: Arc<dyn ReplyVerifier>,
    /// Receives the events of jobs.
    pub events: Events,
    /// The store of the clients' verification keys, if there is one.
    pub client_vks: Option<Arc<dyn ClientVks>>,
}
