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

/// The registration of a bridge in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The bridge's name.
    pub bridge: String,
    /// The fencing number of this registration, larger than every earlier one.
    pub fence: u64,
    /// How long the bridge stays registered after a heartbeat.
    pub ttl: Duration,
}

/// The interface of a ledger that several bridges share.
#[async_trait]
pub trait Bridges: Send + Sync + Debug {
    /// Registers this handle as the bridge of a name. The bridge owns the tickets that
    /// it takes from now on, and those of an earlier bridge of the same name
    /// ([`Bridges::owned`]), whose registration ends.
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError>;

    /// Sends a heartbeat; send three in `ttl`. False: the registration had expired,
    /// another bridge may own the tickets, and this bridge must join again.
    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError>;

    /// Returns the open tickets of the bridge of this name, oldest first.
    async fn owned(&self, bridge: &str) -> Result<Vec<Ticket>, LedgerError>;

    /// Adopts at most `limit` tickets of bridges without a heartbeat; the caller
    /// pings them from now on. Call it again while it returns `limit` tickets.
    /// `None`: this bridge's own registration had expired.
    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError>;

    /// Ends a registration: other bridges can adopt the bridge's tickets at once.
    async fn leave(&self, member: &Membership) -> Result<(), LedgerError>;
}
