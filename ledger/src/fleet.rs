//! Several bridges on one ledger.
//!
//! Whoever takes a ticket owns it: pings it. Answers may come from any bridge,
//! and two that ping one ticket do no harm; what must not be is a ticket that
//! nobody pings. So a bridge whose heartbeat ended loses its tickets to the
//! first that asks, whether it is dead or only slow, and a slow one learns from
//! its next heartbeat that it has to join again.

use std::{fmt::Debug, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{LedgerError, Ticket};

/// A bridge's place among the bridges of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The bridge's name.
    pub bridge: String,
    /// Larger than every fence that was given before.
    pub fence: u64,
    /// How long a heartbeat lasts.
    pub ttl: Duration,
}

/// A bridge as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeSeen {
    /// Its name.
    pub bridge: String,
    /// When its last heartbeat ends, in milliseconds since the Unix epoch by
    /// the clock of the ledger.
    pub ends_at_ms: u64,
}

/// What a ledger does for several bridges.
#[async_trait]
pub trait Bridges: Send + Sync + Debug {
    /// Begins a bridge's life. Tickets that this handle takes are its own from
    /// now on, and so are those of an earlier bridge of the same name: see
    /// [`Bridges::owned`]. The earlier one's heartbeat ends with this.
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError>;

    /// A heartbeat; three in `ttl` are right. False: the last one had ended, the
    /// tickets may be another's by now, join again.
    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError>;

    /// The open tickets of the bridge of this name, oldest first.
    async fn owned(&self, bridge: &str) -> Result<Vec<Ticket>, LedgerError>;

    /// Makes at most `limit` tickets one's own whose bridge has no heartbeat;
    /// they must be pinged from now on. Call it again while it gives `limit`.
    /// `None`: this bridge's own heartbeat had ended.
    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError>;

    /// Ends a bridge's life in good order: its tickets can be adopted at once.
    async fn leave(&self, member: &Membership) -> Result<(), LedgerError>;

    /// The bridges that live, and for a moment those that did; at most 64.
    async fn bridges(&self) -> Result<Vec<BridgeSeen>, LedgerError>;
}

/// The losses of a ledger that notices none.
pub(super) fn no_losses() -> watch::Receiver<u64> {
    static NONE: LazyLock<watch::Sender<u64>> = LazyLock::new(watch::Sender::default);
    NONE.subscribe()
}
