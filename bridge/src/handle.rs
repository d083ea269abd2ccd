//! The handle of a running bridge, for operators and views.

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

    /// The events of jobs.
    pub fn events(&self) -> &Events {
        &self.state.journal.events
    }

    /// Estimates the time that a rollup still needs with `slots` slots for inner jobs.
    /// `None`: unknown.
    pub fn rollup_left(&self, rollup: u32, slots: usize) -> Option<TimeLeft> {
        let rollups = self.state.journal.rollups.lock();
        rollups.left_of(rollup, slots, clock::now_ms())
    }

    /// Takes no more jobs from Falafel or from callers, and continues with the present
    /// jobs: other bridges then take new jobs at once, not only after this bridge has
    /// stopped.
    pub fn take_no_more(&self) {
        self.state.closed.cancel();
    }

    /// Requests a proof or a verification key and waits for the reply. Dropping the
    /// future ends the waiting, not the job.
    pub async fn ask(&self, command: Command, data: Bytes) -> Result<Bytes, AskError> {
        let ask = ask::ask(self.state.clone(), command, data);
        let asked = self.state.tasks.item("caller's request", ask).await;
        asked.unwrap_or_else(|panic| Err(AskError::GivenUp(panic.to_string())))
    }

    /// Tells every worker to restart its provers. Their jobs are requeued and proved
    /// again; no attempt is counted.
    pub(crate) async fn restart_provers(&self) -> Result<(), BrokerError> {
        self.broker().send_control(&Control::Restart).await
    }

    /// Rejects a job: sends a NACK to each of its tickets. Returns the number of tickets.
    ///
    /// **A NACK stops Falafel's rollup production** until a person restarts it;
    /// on a verification key job it ends Falafel's process.
    pub async fn reject(&self, job: JobId, reason: &str) -> Result<usize, OperatorError> {
        operator::reject(&self.state, job, reason).await
    }

    /// Sends the job of a dead letter back to the queue, as attempt 1 with its history.
    pub async fn replay(&self, job: JobId) -> Result<(), OperatorError> {
        operator::replay(&self.state, job).await
    }

    /// The failpoints, by which tests make the bridge's tasks fail.
    #[cfg(any(test, feature = "test-util"))]
    pub fn failpoints(&self) -> &crate::Failpoints {
        self.state.tasks.failpoints()
    }
}
