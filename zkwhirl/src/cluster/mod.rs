//! A whole cluster in one process: a bridge, the embedded broker and ledger,
//! and a worker with several slots.

mod cli;
mod crs;
mod keys;
mod memory;
mod provers;
mod users;
mod verifier;

use std::{io, sync::Arc};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zkwhirl_bridge::{
    Bridge, BridgeConfig, BridgeDeps, BridgeHandle, CoreTaskEnded, ReplyVerifier,
};
use zkwhirl_broker_adapter as broker;
use zkwhirl_job::Topic;
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::Events;
use zkwhirl_worker::{Slot, Stop, WorkerConfig, WorkerDeps};

pub use cli::CliProvers;
pub use keys::{
    FleetKeys, StoredClientVks, client_circuit, client_statement, fleet_store, key_store,
};
pub use memory::Peak;
pub use provers::{NativeProvers, Provers, provenance};
pub use users::users;
pub use verifier::{Checker, Rollups};

/// The parts and settings of a cluster.
#[derive(Debug)]
pub struct ClusterConfig {
    /// The bridge's settings: Falafel's servers, rollup sizes, intervals.
    pub bridge: BridgeConfig,
    /// The worker's settings: attempts, deadlines, grace.
    pub worker: WorkerConfig,
    /// The broker's settings: delays and limits.
    pub broker: broker::EmbeddedBrokerConfig,
    /// The provers of the slots.
    pub provers: Provers,
    /// The bridge's verifier of replies; `None`: the verifier for `provers`.
    pub verifier: Option<Arc<dyn ReplyVerifier>>,
    /// The topics whose jobs the slots claim. Jobs of the first topic in the list
    /// are claimed first.
    pub topics: Vec<Topic>,
    /// The number of the worker's slots, each with one prover.
    pub slots: usize,
    /// The stream of job events. Subscribe before the start.
    pub events: Events,
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Handle of the running bridge: its counts, its events, operators' actions.
    pub bridge: BridgeHandle,
    /// The broker, for queue depths and dead letters.
    pub broker: Arc<dyn broker::Broker>,
    /// The tokens that drain or abort the worker.
    pub worker_stop: Stop,
    end_bridge: CancellationToken,
    worker: JoinHandle<()>,
    running_bridge: JoinHandle<Result<(), CoreTaskEnded>>,
    bridge_ended: CancellationToken,
}

impl Cluster {
    /// Starts a bridge and a worker. The bridge polls Falafel at once; a prover
    /// starts with its first job. Fails if the keystore cannot be opened.
    pub fn start(config: ClusterConfig) -> io::Result<Self> {
        let broker: Arc<dyn broker::Broker> = Arc::new(broker::EmbeddedBroker::new(config.broker));
        let ledger: Arc<dyn ledger::Ledger> = Arc::new(ledger::EmbeddedLedger::default());
        let events = config.events;
        let checker = config.provers.checker().map_err(io::Error::other)?;
        let deps = BridgeDeps {
            broker: Arc::clone(&broker),
            ledger: Arc::clone(&ledger),
            verifier: config.verifier.unwrap_or_else(|| Arc::new(checker)),
            events: events.clone(),
            client_vks: config.provers.client_vks().map_err(io::Error::other)?,
        };
        let bridge = Bridge::new(config.bridge, deps)?;
        let (end_bridge, bridge_ended) = (CancellationToken::new(), CancellationToken::new());
        let slots = (1..=config.slots)
            .map(|number| Slot {
                name: slot_name(number),
                topics: config.topics.clone(),
                prover: config.provers.prover(config.slots),
            })
            .collect();
        let worker_stop = Stop::default();
        let deps = WorkerDeps {
            broker: Arc::clone(&broker),
            ledger,
            events,
        };
        let handle = bridge.handle();
        let running = bridge.run(end_bridge.clone());
        let ended = bridge_ended.clone().drop_guard();
        let running_bridge = tokio::spawn(async move {
            let _ended = ended;
            running.await
        });
        let worker = zkwhirl_worker::run(config.worker, deps, slots, worker_stop.clone());
        Ok(Self {
            bridge: handle,
            broker,
            worker_stop,
            worker: tokio::spawn(worker),
            running_bridge,
            bridge_ended,
            end_bridge,
        })
    }

    /// Waits until the bridge stops by itself because one of its core tasks
    /// ended. [`Cluster::stop`] then returns which task.
    pub async fn bridge_ended(&self) {
        self.bridge_ended.cancelled().await;
    }

    /// Stops taking tickets, drains the worker, then stops the bridge: proofs
    /// made during the drain are still delivered. If the bridge has stopped, the
    /// worker aborts. `Err`: a core task of the bridge had ended.
    pub async fn stop(self) -> Result<(), CoreTaskEnded> {
        self.bridge.take_no_more();
        self.worker_stop.drain.cancel();
        if self.bridge_ended.is_cancelled() {
            self.worker_stop.abort.cancel();
        }
        if let Err(error) = self.worker.await {
            tracing::error!("the worker task stopped unexpectedly: {error}");
        }
        self.end_bridge.cancel();
        self.running_bridge.await.unwrap_or_else(|error| {
            tracing::error!("the bridge task stopped unexpectedly: {error}");
            Ok(())
        })
    }
}

/// The name of a slot. `number` counts from 1.
pub fn slot_name(number: usize) -> String {
    format!("worker {number}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zkwhirl_bridge::Fault;
    use zkwhirl_circuits::Suite;
    use zkwhirl_job::Sizes;

    use super::*;

    #[tokio::test]
    async fn a_core_task_that_ends_ends_the_cluster_and_is_named() {
        let (suite, sizes) = (Suite::Poseidon, Sizes::new(1, 1).unwrap());
        let rollups = Rollups { suite, sizes };
        let cluster = Cluster::start(ClusterConfig {
            bridge: BridgeConfig::new(Vec::new(), sizes),
            worker: WorkerConfig::default(),
            broker: broker::EmbeddedBrokerConfig::default(),
            provers: Provers::Proverless {
                rollups,
                work: Duration::ZERO,
            },
            verifier: None,
            topics: Topic::ALL.to_vec(),
            slots: 1,
            events: Events::default(),
        })
        .unwrap();
        let failpoints = cluster.bridge.failpoints();
        failpoints.arm("delivery", Fault::Panic);
        cluster.bridge_ended().await;
        let ended = cluster.stop().await.unwrap_err();
        let line = "core task `delivery` panicked: failpoint delivery; stopping";
        assert_eq!(ended.to_string(), line);
    }
}
