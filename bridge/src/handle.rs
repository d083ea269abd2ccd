//! What operators and views hold of a running bridge.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_broker_adapter::{Broker, BrokerError, Control};
use zkwhirl_job::{Command, JobId, clock};
use zkwhirl_ledger::{Events, Ledger, model::TimeLeft};

use crate::{
    AskError, BridgeStats, OperatorError, UpstreamStats,
    jobs::{ask, operator},
    state::BridgeState,
};

/// A running bridge, for operators and views; cheap to clone.
#[derive(Debug, Clone)]
pub struct BridgeHandle {
    pub(crate) state: Arc<BridgeState>,
}

impl BridgeHandle {
    /// The bridge's counts.
    pub fn stats(&self) -> BridgeStats {
        let bridge = &self.state;
        let leases = bridge.tickets.leases.stats();
        let upstreams = bridge.tickets.links.iter().map(|link| UpstreamStats {
            name: link.upstream.name.clone(),
            reachable: link.is_there(),
            may_be_closed: link.may_be_closed(),
            polls: link.polls(),
        });
        BridgeStats {
            open_tickets: leases.open,
            member: bridge.member.lock().is_some(),
            worst_ping_gap: leases.worst_gap,
            current_ping_gap: leases.current_gap,
            upstreams: upstreams.collect(),
            ..bridge.journal.stats.lock().clone()
        }
    }

    /// The bridge's name among the bridges of the ledger.
    pub fn name(&self) -> &str {
        &self.state.config.name
    }

    /// The ledger, whose calls may fail.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        self.state.ledger.once()
    }

    /// The broker, whose calls may fail.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        self.state.broker.once()
    }

    /// What happens to jobs.
    pub fn events(&self) -> &Events {
        &self.state.journal.events
    }

    /// What a rollup will still take with so many `slots` for inner jobs;
    /// `None` when that is not known.
    pub fn rollup_left(&self, rollup: u32, slots: usize) -> Option<TimeLeft> {
        let rollups = self.state.journal.rollups.lock();
        rollups.left_of(rollup, slots, clock::now_ms())
    }

    /// Takes nothing new from Falafel or from callers, and goes on with what
    /// the bridge has: others take the rest at once, and not only when this
    /// bridge stops.
    pub fn take_no_more(&self) {
        self.state.closed.cancel();
    }

    /// Asks for a proof or a verification key and waits for it. Dropping the
    /// future gives up waiting, not the job.
    pub async fn ask(&self, command: Command, data: Bytes) -> Result<Bytes, AskError> {
        let ask = ask::ask(self.state.clone(), command, data);
        let asked = self.state.tasks.item("caller's request", ask).await;
        asked.unwrap_or_else(|panic| Err(AskError::GivenUp(panic.to_string())))
    }

    /// Tells every worker to restart its provers. What they prove is handed
    /// back and proved again; no attempt is counted.
    pub(crate) async fn restart_provers(&self) -> Result<(), BrokerError> {
        self.broker().send_control(&Control::Restart).await
    }

    /// Rejects a job: a NACK goes to each ticket that waits for it. Returns how
    /// many there are.
    ///
    /// **A NACK stops Falafel's rollup production** until a person restarts it;
    /// on a verification key job it ends Falafel's process.
    pub async fn reject(&self, job: JobId, reason: &str) -> Result<usize, OperatorError> {
        operator::reject(&self.state, job, reason).await
    }

    /// Sends a parked job back to the queue, as attempt 1 with its history.
    pub async fn replay(&self, job: JobId) -> Result<(), OperatorError> {
        operator::replay(&self.state, job).await
    }

    /// Where tests make the bridge's tasks fail.
    #[cfg(any(test, feature = "test-util"))]
    pub fn failpoints(&self) -> &crate::Failpoints {
        self.state.tasks.failpoints()
    }
}
