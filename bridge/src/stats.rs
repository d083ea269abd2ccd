//! What a bridge counts.

use std::time::Duration;

/// A bridge's counts at one moment. Those that grow count from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeStats {
    /// Tickets that are pinged now.
    pub open_tickets: usize,
    /// Tickets taken.
    pub tickets: u64,
    /// Jobs made of them.
    pub jobs: u64,
    /// Tickets that joined a job which was known already.
    pub joined: u64,
    /// Tickets that Falafel issued again although they were open: each is a
    /// lease that was nearly lost. Those provoked on purpose do not count,
    /// unless another bridge provoked them.
    pub reissues: u64,
    /// Jobs that became dead letters.
    pub parked: u64,
    /// Tickets answered with a reply.
    pub delivered: u64,
    /// Tickets answered with a NACK, on an operator's word.
    pub nacks: u64,
    /// Replies that did not verify and were not delivered.
    pub unverified: u64,
    /// Results of jobs that the ledger does not know.
    pub strays: u64,
    /// Tickets closed because Falafel had forgotten them.
    pub forgotten: u64,
    /// Jobs that the broker had lost.
    pub republished: u64,
    /// Verification key jobs that were answered without a worker.
    pub from_keystore: u64,
    /// Tickets taken over from other bridges that had no heartbeat.
    pub adopted: u64,
    /// Times that this bridge's own heartbeat had ended.
    pub rejoined: u64,
    /// Whether the bridge has a heartbeat now, as far as it knows.
    pub member: bool,
    /// The longest time that a ticket was without an answered ping.
    pub worst_ping_gap: Duration,
    /// The same among the open tickets, now.
    pub current_ping_gap: Duration,
    /// Each upstream.
    pub upstreams: Vec<UpstreamStats>,
}

/// One upstream at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamStats {
    /// Its name.
    pub name: String,
    /// Whether the server answered the last time, or lets a poll wait.
    pub reachable: bool,
    /// Whether the server may be closed on purpose and was never open.
    pub may_be_closed: bool,
    /// Long polls started.
    pub polls: u64,
}
