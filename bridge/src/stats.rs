//! What a bridge counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use zkwhirl_telemetry::{Counter, catalogue::bridge as metric, handle};

/// A count that only grows, and its metric.
#[derive(Debug)]
pub(crate) struct Count {
    own: AtomicU64,
    metric: handle::Counter,
}

impl Default for Count {
    /// A count without a metric.
    fn default() -> Self {
        Self {
            own: AtomicU64::new(0),
            metric: handle::Counter::noop(),
        }
    }
}

impl From<&Counter<0>> for Count {
    fn from(metric: &Counter<0>) -> Self {
        Self {
            metric: metric.of([]),
            ..Self::default()
        }
    }
}

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.own.fetch_add(more, Ordering::Relaxed);
        self.metric.increment(more);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }
}

/// The bridge's counts. A metric with labels is counted beside them.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) tickets: Count,
    pub(crate) jobs: Count,
    pub(crate) joined: Count,
    pub(crate) reissues: Count,
    pub(crate) parked: Count,
    pub(crate) delivered: Count,
    pub(crate) nacks: Count,
    pub(crate) unverified: Count,
    pub(crate) strays: Count,
    pub(crate) forgotten: Count,
    pub(crate) republished: Count,
    pub(crate) from_keystore: Count,
    pub(crate) adopted: Count,
    pub(crate) rejoined: Count,
}

impl Default for Counters {
    /// All at 0. The recorder must be there.
    fn default() -> Self {
        Self {
            tickets: (&metric::TICKETS).into(),
            jobs: Count::default(),
            joined: (&metric::JOINED).into(),
            reissues: (&metric::REISSUES).into(),
            parked: Count::default(),
            delivered: (&metric::DELIVERED).into(),
            nacks: (&metric::NACKS).into(),
            unverified: (&metric::UNVERIFIED).into(),
            strays: (&metric::STRAYS).into(),
            forgotten: (&metric::FORGOTTEN).into(),
            republished: (&metric::REPUBLISHED).into(),
            from_keystore: (&metric::KEYSTORE_ANSWERS).into(),
            adopted: (&metric::ADOPTED).into(),
            rejoined: (&metric::REJOINED).into(),
        }
    }
}

impl Counters {
    /// The counts now; what is no count is empty.
    pub(crate) fn stats(&self) -> BridgeStats {
        BridgeStats {
            tickets: self.tickets.get(),
            jobs: self.jobs.get(),
            joined: self.joined.get(),
            reissues: self.reissues.get(),
            parked: self.parked.get(),
            delivered: self.delivered.get(),
            nacks: self.nacks.get(),
            unverified: self.unverified.get(),
            strays: self.strays.get(),
            forgotten: self.forgotten.get(),
            republished: self.republished.get(),
            from_keystore: self.from_keystore.get(),
            adopted: self.adopted.get(),
            rejoined: self.rejoined.get(),
            ..BridgeStats::default()
        }
    }
}

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
