//! What the loops of one bridge and its handle share.

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
    /// Callers in this process that wait for an answer.
    pub(crate) callers: Locked<HashMap<TicketId, oneshot::Sender<Answer>>>,
    pub(crate) caller_permits: Semaphore,
    pub(crate) requests: Requests,
    pub(crate) verifier: Arc<dyn ReplyVerifier>,
    pub(crate) client_vks: Option<Arc<dyn ClientVks>>,
    /// Verification key jobs that are looked up in the store now.
    pub(crate) looking_up: Locked<HashSet<JobId>>,
    /// Where the pumps get their jobs from.
    pub(crate) queues: BTreeMap<Topic, mpsc::Sender<JobRecord>>,
    /// Jobs that wait for their publishing.
    pub(crate) publishing: Locked<HashSet<JobId>>,
    /// Jobs whose unverified reply this bridge verifies again.
    pub(crate) checking: Locked<HashSet<JobId>>,
    /// Replies that are verified again at once.
    pub(crate) checks: Semaphore,
    /// Asks for a comparison of ledger and broker.
    pub(crate) compare: Arc<Notify>,
    /// `None` while this bridge's heartbeat has ended, as far as it knows.
    pub(crate) member: Locked<Option<Membership>>,
    /// Cancelled before the bridge stops, or with it: nothing new is taken.
    pub(crate) closed: CancellationToken,
}
