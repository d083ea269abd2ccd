//! Several bridges on one ledger.
//!
//! The bridge that takes a ticket owns and pings it. Any bridge may answer a
//! ticket, and two bridges that ping one ticket do no harm; but each ticket needs
//! a bridge that pings it. A bridge whose heartbeat ended therefore loses its
//! tickets to the first bridge that adopts them, whether it is dead or only slow;
//! a slow one learns from its next heartbeat that it must join again.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use super::{LedgerError, Ticket};

/// A bridge's membership among the bridges of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The bridge's name.
    pub bridge: String,
    /// Larger than every fence that was given before.
    pub fence: u64,
    /// How long a heartbeat lasts.
    pub ttl: Duration,
}

/// What a ledger does for several bridges.
#[async_trait]
pub trait Bridges: Send + Sync + Debug {
    /// Makes this handle the bridge of a name: it owns the tickets that it takes
    /// from now on, and those of an earlier bridge of the same name
    /// ([`Bridges::owned`]), whose heartbeat ends.
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError>;

    /// A heartbeat; send three in `ttl`. False: the last one had ended, another
    /// bridge may own the tickets, and this one must join again.
    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError>;

    /// The open tickets of the bridge of this name, oldest first.
    async fn owned(&self, bridge: &str) -> Result<Vec<Ticket>, LedgerError>;

    /// Adopts at most `limit` tickets of bridges without a heartbeat; the caller
    /// pings them from now on. Call it again while it returns `limit` tickets.
    /// `None`: this bridge's own heartbeat had ended.
    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError>;

    /// Ends a membership: others can adopt the bridge's tickets at once.
    async fn leave(&self, member: &Membership) -> Result<(), LedgerError>;
}
