//! What a bridge counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use zkwhirl_telemetry::{Counter, catalogue::bridge as metric, handle};

use super::shared::Shared;

/// A count that only grows, with its metric.
#[derive(Debug)]
pub(super) struct Count {
    own: AtomicU64,
    metric: handle::Counter,
}

impl Default for Count {
    /// A count that nobody else sees.
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
    pub(super) fn add(&self, more: u64) {
        self.own.fetch_add(more, Ordering::Relaxed);
        self.metric.increment(more);
    }

    pub(super) fn one(&self) {
        self.add(1);
    }

    pub(super) fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }
}

/// Where several labels tell more about a metric, it is counted beside.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) tickets: Count,
    pub(super) jobs: Count,
    pub(super) joined: Count,
    pub(super) reissues: Count,
    pub(super) parked: Count,
    pub(super) delivered: Count,
    pub(super) nacks: Count,
    /// Tickets that operators rejected: never less than `nacks`.
    pub(super) rejections: Count,
    pub(super) unverified: Count,
    pub(super) strays: Count,
    pub(super) forgotten: Count,
    pub(super) republished: Count,
    pub(super) from_keystore: Count,
    pub(super) adopted: Count,
    pub(super) rejoined: Count,
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
            rejections: Count::default(),
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

/// A bridge's counts at one moment. Those that grow count from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Results of jobs that nobody knows.
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
    /// Whether it has a heartbeat now, as far as it knows.
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
    /// Whether it answered the last time, or lets a poll wait.
    pub reachable: bool,
    /// Whether it may rightly be closed, and always was.
    pub may_be_closed: bool,
    /// Long polls started.
    pub polls: u64,
}

impl Shared {
    pub(super) fn stats(&self) -> BridgeStats {
        let (counters, leases) = (&self.counters, self.leases.stats());
        let upstreams = self.links.iter().map(|link| UpstreamStats {
            name: link.upstream.name.clone(),
            reachable: link.is_there(),
            may_be_closed: link.may_be_closed(),
            polls: link.polls(),
        });
        BridgeStats {
            open_tickets: leases.open(),
            tickets: counters.tickets.get(),
            jobs: counters.jobs.get(),
            joined: counters.joined.get(),
            reissues: counters.reissues.get(),
            parked: counters.parked.get(),
            delivered: counters.delivered.get(),
            nacks: counters.nacks.get(),
            unverified: counters.unverified.get(),
            strays: counters.strays.get(),
            forgotten: counters.forgotten.get(),
            republished: counters.republished.get(),
            from_keystore: counters.from_keystore.get(),
            adopted: counters.adopted.get(),
            rejoined: counters.rejoined.get(),
            member: self.member.lock().is_some(),
            worst_ping_gap: leases.worst_gap(),
            current_ping_gap: leases.current_gap(),
            upstreams: upstreams.collect(),
        }
    }
}
