//! The receiver of transactions: it needs both verification keys of clients
//! before it lets anything in.

use std::sync::Arc;

use zkwhirl_job::Kind;

use super::{Pipeline, ProveError, asked::Asked};
use crate::Event;

/// How far the receiver of this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reception {
    /// Not both keys are there: no transaction is let in.
    Closed,
    /// Transactions come in.
    Open,
    /// A key was rejected; the original's process exits then.
    Exited(String),
}

impl Pipeline {
    /// Asks for both keys, one after the other, once a process. Claims may be
    /// out already, and are not waited for.
    pub(crate) async fn receive(self: Arc<Self>) {
        let keys = async {
            for kind in [Kind::JoinSplitVk, Kind::AccountVk] {
                let asked = self.prove_one(Asked::key(kind)).await;
                asked.map_err(|error| format!("no {kind}: {error}"))?;
            }
            Ok(())
        };
        let reception = match keys.await {
            Ok(()) => {
                let _ = self.events.send(Event::Ready);
                Reception::Open
            }
            Err(reason) => Reception::Exited(reason),
        };
        self.reception.send_replace(reception);
    }

    /// A new process: its receiver begins anew, when the plan has one.
    pub(crate) fn close_reception(&self) {
        self.reception.send_replace(if self.plan.vks {
            Reception::Closed
        } else {
            Reception::Open
        });
    }

    /// Waits until transactions come in.
    pub(super) async fn transactions(&self) {
        self.until(|reception| *reception == Reception::Open).await;
    }

    /// Waits until the process exits for want of a key.
    pub(super) async fn exit(&self) -> ProveError {
        match self.until(|r| matches!(r, Reception::Exited(_))).await {
            Reception::Exited(reason) => ProveError::Exited(reason),
            Reception::Open | Reception::Closed => unreachable!("waited for an exit"),
        }
    }

    async fn until(&self, holds: impl FnMut(&Reception) -> bool) -> Reception {
        let mut reception = self.reception.subscribe();
        let reached = reception.wait_for(holds).await;
        reached.expect("the sender is ours").clone()
    }
}
