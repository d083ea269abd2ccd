//! The receiver of transactions. It accepts no transaction before both
//! verification keys of clients have arrived.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_job::Kind;

use super::{JobError, Pipeline, asked::Asked};
use crate::{FalafelEvent, users::ClientKeys};

/// The state of the receiver of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reception {
    /// A key is missing: no transaction is accepted.
    Closed,
    /// Transactions are accepted if they verify under the keys. `None`: the
    /// plan asks for no keys, and no transaction is verified.
    Open(Option<ClientKeys>),
    /// A key was rejected; the original's process then exits.
    Exited(JobError),
}

impl Pipeline {
    /// Asks for both keys, one after the other, once in each process. Claims
    /// are proved meanwhile.
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
                self.parts.emit(FalafelEvent::Ready);
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

    /// Starts the receiver of a new process; open at once if the plan asks for no keys.
    pub(crate) fn close_reception(&self) {
        self.reception.send_replace(if self.plan.vks {
            Reception::Closed
        } else {
            Reception::Open(None)
        });
    }

    /// Waits until transactions are accepted; returns the keys that verify them.
    pub(super) async fn transactions(&self) -> Option<ClientKeys> {
        self.until(|reception| match reception {
            Reception::Open(keys) => Some(keys.clone()),
            Reception::Closed | Reception::Exited(_) => None,
        })
        .await
    }

    /// Waits until the process exits because a key is missing; returns the error.
    pub(super) async fn exit(&self) -> JobError {
        self.until(|reception| match reception {
            Reception::Exited(error) => Some(error.clone()),
            Reception::Open(_) | Reception::Closed => None,
        })
        .await
    }

    async fn until<T>(&self, reached: impl Fn(&Reception) -> Option<T>) -> T {
        let mut reception = self.reception.subscribe();
        loop {
            if let Some(reached) = reached(&reception.borrow_and_update()) {
                return reached;
            }
            reception.changed().await.expect("self owns the sender");
        }
    }
}
