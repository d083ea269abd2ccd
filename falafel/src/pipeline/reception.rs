//! The receiver of transactions: it needs both verification keys of clients
//! before it lets anything in.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_job::Kind;

use super::{JobError, Pipeline, asked::Asked};
use crate::{FalafelEvent, users::ClientKeys};

/// How far the receiver of this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reception {
    /// Not both keys are there: no transaction is let in.
    Closed,
    /// Transactions come in, and are verified with the keys. Without a
    /// receiver there are none.
    Open(Option<ClientKeys>),
    /// A key was rejected; the original's process exits then.
    Exited(JobError),
}

impl Pipeline {
    /// Asks for both keys, one after the other, once a process. Claims may be
    /// out already, and are not waited for.
    pub(crate) async fn receive(self: Arc<Self>) {
        let keys = async {
            let [join_split, account] = [Kind::JoinSplitVk, Kind::AccountVk];
            Ok(ClientKeys {
                join_split: self.key(join_split).await?,
                account: self.key(account).await?,
            })
        };
        let reception = match keys.await {
            Ok(keys) => {
                let _ = self.events.send(FalafelEvent::Ready);
                Reception::Open(Some(keys))
            }
            Err(error) => Reception::Exited(error),
        };
        self.reception.send_replace(reception);
    }

    async fn key(&self, kind: Kind) -> Result<Bytes, JobError> {
        let asked = self.prove_one(Asked::key(kind)).await;
        asked.map_err(|error| JobError::Exited(format!("no {kind}: {error}")))
    }

    /// A new process: its receiver begins anew, when the plan has one.
    pub(crate) fn close_reception(&self) {
        self.reception.send_replace(if self.plan.vks {
            Reception::Closed
        } else {
            Reception::Open(None)
        });
    }

    /// Waits until transactions come in, and gives the keys to verify them with.
    pub(super) async fn transactions(&self) -> Option<ClientKeys> {
        match self.until(|r| matches!(r, Reception::Open(_))).await {
            Reception::Open(keys) => keys,
            Reception::Closed | Reception::Exited(_) => unreachable!("waited for an opening"),
        }
    }

    /// Waits until the process exits for want of a key.
    pub(super) async fn exit(&self) -> JobError {
        match self.until(|r| matches!(r, Reception::Exited(_))).await {
            Reception::Exited(error) => error,
            Reception::Open(_) | Reception::Closed => unreachable!("waited for an exit"),
        }
    }

    async fn until(&self, holds: impl FnMut(&Reception) -> bool) -> Reception {
        let mut reception = self.reception.subscribe();
        let reached = reception.wait_for(holds).await;
        reached.expect("the sender is ours").clone()
    }
}
