//! Records the events of jobs, in counts, metrics and estimates of rollups.

use std::time::Duration;

use zkwhirl_broker_adapter::{DeadClass, DeadLetter};
use zkwhirl_job::{FailureClass, Kind, TicketId, Topic, clock, envelope::ResultEnvelope};
use zkwhirl_ledger::{Events, JobEventKind, JobRecord, Taken, Ticket};
use zkwhirl_telemetry::{
    Counter,
    catalogue::{bridge as metric, process::WASTED},
};

use crate::{BridgeStats, locked::Locked, rollups::OpenRollups};

/// The metrics' reason of a dead job whose worker gave up, by its last failure.
pub(crate) fn death_by(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Invalid => "request",
        FailureClass::Prover | FailureClass::Infrastructure | FailureClass::Interrupted => {
            "attempts"
        }
    }
}

/// The metrics' reason of a dead letter: its class, or the last failure of its attempts.
pub(crate) fn death_in(letter: &DeadLetter) -> &'static str {
    let last = letter.history.last();
    match letter.class {
        DeadClass::Crashes => "crashes",
        DeadClass::Damaged => "damaged",
        DeadClass::Version => "version",
        DeadClass::Failed => last.map_or("request", |last| death_by(last.failure.class)),
    }
}

/// The topic of a job; a job of an unknown kind counts as outer.
pub(crate) fn topic_name(kind: Option<Kind>) -> &'static str {
    kind.map_or(Topic::Outer, Kind::topic).name()
}

/// Records a prover's time whose result was not used.
pub(crate) fn wasted(kind: Option<Kind>, prove_ms: u64, why: &'static str) {
    let spent = Duration::from_millis(prove_ms);
    WASTED.record([topic_name(kind), why], spent);
}

/// Counts a second result of a job.
pub(crate) fn duplicate(result: &ResultEnvelope) {
    metric::DUPLICATES.one([result.kind.topic().name()]);
    wasted(Some(result.kind), result.prove_ms, "duplicate");
}

/// The journal of one bridge.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) events: Events,
    /// The counts; the other fields are empty.
    pub(crate) stats: Locked<BridgeStats>,
    pub(crate) rollups: Locked<OpenRollups>,
}

impl Journal {
    pub(crate) fn new(events: Events) -> Self {
        Self {
            events,
            stats: Locked::default(),
            rollups: Locked::default(),
        }
    }

    pub(crate) fn emit(&self, job: &JobRecord, what: JobEventKind) {
        self.events.emit(job.id, job.kind, job.rollup_id, what);
    }

    /// Adds `more` to a metric and to the bridge's own counter.
    pub(crate) fn add(
        &self,
        more: u64,
        metric: &Counter<0>,
        count: fn(&mut BridgeStats) -> &mut u64,
    ) {
        *count(&mut self.stats.lock()) += more;
        metric.of([]).increment(more);
    }

    /// Adds one to a metric and to the bridge's own counter.
    pub(crate) fn one(&self, metric: &Counter<0>, count: fn(&mut BridgeStats) -> &mut u64) {
        self.add(1, metric, count);
    }

    /// Records that a new ticket was taken.
    pub(crate) fn taken(&self, ticket: Ticket, taken: &Taken) {
        let (ticket, upstream) = (ticket.id, ticket.upstream);
        self.one(&metric::TICKETS, |stats| &mut stats.tickets);
        if taken.new_job {
            self.stats.lock().jobs += 1;
            metric::SUBMITTED.one([topic_name(taken.job.kind)]);
            self.rollups.lock().saw(&taken.job);
            self.emit(&taken.job, JobEventKind::Taken { ticket, upstream });
        } else {
            self.one(&metric::JOINED, |stats| &mut stats.joined);
            self.emit(&taken.job, JobEventKind::Joined { ticket, upstream });
        }
    }

    /// Records that a job has its verified result.
    pub(crate) fn proved(&self, job: &JobRecord, proving: Duration) {
        let (topic, now) = (topic_name(job.kind), clock::now_ms());
        let age = Duration::from_millis(now.saturating_sub(job.taken_at_ms));
        metric::COMPLETED.one([topic, "ok"]);
        metric::TURNAROUND.record([topic], age);
        self.rollups.lock().proved(job, proving);
    }

    /// Records that a ticket was answered with the reply.
    pub(crate) fn delivered(&self, job: &JobRecord, ticket: TicketId) {
        self.one(&metric::DELIVERED, |stats| &mut stats.delivered);
        self.rollups.lock().delivered(job, clock::now_ms());
        self.emit(job, JobEventKind::Delivered { ticket });
    }

    /// Records that a job became a dead letter; `death` is the metrics' reason.
    pub(crate) fn dead(&self, job: &JobRecord, reason: &str, death: &'static str) {
        let topic = topic_name(job.kind);
        self.stats.lock().parked += 1;
        metric::COMPLETED.one([topic, "dead"]);
        metric::DEAD_LETTERED.one([topic, death]);
        let reason = reason.to_owned();
        self.emit(job, JobEventKind::Dead { reason });
    }
}
