//! The counts of a bridge.

use std::time::Duration;

/// A bridge's counts at one moment. Growing counts begin with the bridge's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeStats {
    /// How many tickets are pinged now.
    pub open_tickets: usize,
    /// How many tickets were taken.
    pub tickets: u64,
    /// How many new jobs the tickets made.
    pub jobs: u64,
    /// How many tickets joined a known job.
    pub joined: u64,
    /// How often Falafel issued an open ticket again: each time a lease was nearly lost.
    /// Probes of this bridge, which let a lease lapse on purpose, do not count; probes
    /// of other bridges do.
    pub reissues: u64,
    /// How many jobs became dead letters.
    pub parked: u64,
    /// How many tickets were answered with a reply.
    pub delivered: u64,
    /// How many tickets were answered with a NACK, after an operator's rejection.
    pub nacks: u64,
    /// How many replies did not verify and were not delivered.
    pub unverified: u64,
    /// How many results had a job that the ledger does not know.
    pub strays: u64,
    /// How many tickets were closed because Falafel had forgotten them.
    pub forgotten: u64,
    /// How many jobs were published again because the broker had lost them.
    pub republished: u64,
    /// How many verification key jobs were answered without a worker.
    pub from_keystore: u64,
    /// How many tickets were adopted from bridges without a heartbeat.
    pub adopted: u64,
    /// How often this bridge's own heartbeat had expired.
    pub rejoined: u64,
    /// Whether the bridge is registered in the ledger, as far as the bridge knows.
    pub member: bool,
    /// The longest time that a ticket was without an answered ping.
    pub worst_ping_gap: Duration,
    /// The longest present time without an answered ping, among the open tickets.
    pub current_ping_gap: Duration,
    /// The counts of each upstream.
    pub upstreams: Vec<UpstreamStats>,
}

/// The counts of one upstream at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamStats {
    /// The upstream's name.
    pub name: String,
    /// Whether the server answered the last call, or keeps a long poll waiting.
    pub reachable: bool,
    /// Whether the server may be closed on purpose and was never open.
    pub may_be_closed: bool,
    /// How many long polls were started.
    pub polls: u64,
}
