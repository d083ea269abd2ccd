//! What all parts of a bridge work with. None of it is the bridge's own state.

use std::sync::Arc;

use crate::{
    BridgeConfig,
    journal::Journal,
    retry::Retry,
    retrying::{RetryingBroker, RetryingLedger},
    supervise::Tasks,
};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) config: Arc<BridgeConfig>,
    pub(crate) ledger: RetryingLedger,
    pub(crate) broker: RetryingBroker,
    pub(crate) journal: Arc<Journal>,
    pub(crate) retry: Retry,
    pub(crate) tasks: Tasks,
}
