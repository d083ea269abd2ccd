//! The state that the loops of one bridge and its handle share.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{JobId, TicketId, Topic};
use zkwhirl_ledger::{JobRecord, Membership};

use crate::{
    BridgeConfig, ClientVks, ReplyVerifier,
    falafel::Answer,
    jobs::Requests,
    journal::Journal,
    locked::Locked,
    retry::{Retry, RetryingBroker, RetryingLedger},
    supervise::Tasks,
    tickets::Tickets,
};

/// The state of one bridge.
#[derive(Debug)]
pub(crate) struct BridgeState {
    pub(crate) config: BridgeConfig,
    pub(crate) ledger: RetryingLedger,
    pub(crate) broker: RetryingBroker,
    pub(crate) journal: Journal,
    pub(crate) retry: Retry,
    pub(crate) tasks: Tasks,
    pub(crate) tickets: Tickets,
    /// The callers in this process that wait for an answer.
    pub(crate) callers: Locked<HashMap<TicketId, oneshot::Sender<Answer>>>,
    pub(crate) caller_permits: Semaphore,
    pub(crate) requests: Requests,
    pub(crate) verifier: Arc<dyn ReplyVerifier>,
    pub(crate) client_vks: Option<Arc<dyn ClientVks>>,
    /// The verification key jobs that are being looked up in the store.
    pub(crate) looking_up: Locked<HashSet<JobId>>,
    /// The queues from which the pumps publish jobs.
    pub(crate) queues: BTreeMap<Topic, mpsc::Sender<JobRecord>>,
    /// The jobs that wait for their publishing.
    pub(crate) publishing: Locked<HashSet<JobId>>,
    /// The jobs whose unverified reply this bridge verifies again.
    pub(crate) checking: Locked<HashSet<JobId>>,
    /// Limits how many replies are verified again at the same time.
    pub(crate) checks: Semaphore,
    /// Requests a comparison of ledger and broker.
    pub(crate) compare: Arc<Notify>,
    /// This bridge's registration; `None` while its heartbeat is known to have expired.
    pub(crate) member: Locked<Option<Membership>>,
    /// Cancelled when the bridge takes no more jobs: before it stops, or with the stop.
    pub(crate) closed: CancellationToken,
}
