//! What happens to jobs, as events, counts, metrics and figures about rollups.

use std::time::Duration;

use zkwhirl_job::{FailureClass, JobId, Kind, TicketId, Topic, clock, envelope::ResultEnvelope};
use zkwhirl_ledger::{Events, JobEventKind, JobRecord, Taken, Ticket, model::TimeLeft};
use zkwhirl_telemetry::catalogue::{
    bridge::{COMPLETED, DEAD_LETTERED, DUPLICATES, SUBMITTED, TURNAROUND},
    process::WASTED,
};

use crate::{locked::Locked, rollups::OpenRollups, stats::Counters};

/// Why a job is dead, as the metrics know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// Its request can never be proved.
    Request,
    /// Its attempts are used up.
    Attempts,
    /// No worker survived it.
    Crashes,
    /// The bridge panicked over it.
    Bridge,
}

impl Death {
    /// What a worker's last failure says.
    pub(crate) fn by(class: FailureClass) -> Self {
        match class {
            FailureClass::Invalid => Self::Request,
            FailureClass::Prover | FailureClass::Infrastructure | FailureClass::Interrupted => {
                Self::Attempts
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Attempts => "attempts",
            Self::Crashes => "crashes",
            Self::Bridge => "bridge",
        }
    }
}

/// The topic of a job; a job of no known kind is no inner job.
pub(crate) fn topic_name(kind: Option<Kind>) -> &'static str {
    kind.map_or(Topic::Outer, Kind::topic).name()
}

/// A prover's time that led to nothing.
pub(crate) fn wasted(kind: Option<Kind>, prove_ms: u64, why: &'static str) {
    let spent = Duration::from_millis(prove_ms);
    WASTED.record([topic_name(kind), why], spent);
}

/// A result of a job that had one.
pub(crate) fn duplicate(result: &ResultEnvelope) {
    DUPLICATES.one([result.kind.topic().name()]);
    wasted(Some(result.kind), result.prove_ms, "duplicate");
}

/// The journal of one bridge.
#[derive(Debug)]
pub(crate) struct Journal {
    events: Events,
    pub(crate) counters: Counters,
    rollups: Locked<OpenRollups>,
}

impl Journal {
    pub(crate) fn new(events: Events) -> Self {
        Self {
            events,
            counters: Counters::default(),
            rollups: Locked::default(),
        }
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    pub(crate) fn emit(&self, job: &JobRecord, what: JobEventKind) {
        self.events.emit(job.id, job.kind, job.rollup_id, what);
    }

    /// A new ticket was taken.
    pub(crate) fn taken(&self, ticket: Ticket, taken: &Taken) {
        let (ticket, upstream) = (ticket.id, ticket.upstream);
        self.counters.tickets.one();
        if taken.new_job {
            self.counters.jobs.one();
            SUBMITTED.one([topic_name(taken.job.kind)]);
            self.rollups.lock().saw(&taken.job);
            self.emit(&taken.job, JobEventKind::Taken { ticket, upstream });
        } else {
            self.counters.joined.one();
            self.emit(&taken.job, JobEventKind::Joined { ticket, upstream });
        }
    }

    /// A job has its verified result.
    pub(crate) fn proved(&self, job: &JobRecord, proving: Duration) {
        let (topic, now) = (topic_name(job.kind), clock::now_ms());
        let age = Duration::from_millis(now.saturating_sub(job.taken_at_ms));
        COMPLETED.one([topic, "ok"]);
        TURNAROUND.record([topic], age);
        self.rollups.lock().proved(job, proving);
    }

    /// A ticket was answered with the reply.
    pub(crate) fn delivered(&self, job: &JobRecord, ticket: TicketId) {
        self.counters.delivered.one();
        self.rollups.lock().delivered(job, clock::now_ms());
        self.emit(job, JobEventKind::Delivered { ticket });
    }

    /// A job became a dead letter.
    pub(crate) fn dead(&self, job: &Dead, death: Death) {
        let (topic, reason) = (topic_name(job.kind), job.reason.to_owned());
        self.counters.parked.one();
        COMPLETED.one([topic, "dead"]);
        DEAD_LETTERED.one([topic, death.name()]);
        let what = JobEventKind::Dead { reason };
        self.events.emit(job.id, job.kind, job.rollup_id, what);
    }

    /// What a rollup will still take with so many `slots` for inner jobs.
    pub(crate) fn rollup_left(&self, rollup: u32, slots: usize) -> Option<TimeLeft> {
        let rollups = self.rollups.lock();
        rollups.left_of(rollup, slots, clock::now_ms())
    }

    /// The rollups that an earlier bridge saw begin.
    pub(crate) fn recall_rollups(&self, jobs: &[JobRecord]) {
        self.rollups.lock().recall(jobs);
    }

    /// Sees the jobs of all bridges, and shows the figures about rollups;
    /// `slots` prove inner jobs.
    pub(crate) fn show_rollups(&self, jobs: &[JobRecord], slots: usize) {
        let mut rollups = self.rollups.lock();
        rollups.refresh(jobs);
        rollups.show(slots, clock::now_ms());
    }
}

/// A job that became a dead letter, as a record or the letter itself tell.
#[derive(Debug)]
pub(crate) struct Dead<'a> {
    pub(crate) id: JobId,
    pub(crate) kind: Option<Kind>,
    pub(crate) rollup_id: Option<u32>,
    pub(crate) reason: &'a str,
}

impl<'a> Dead<'a> {
    pub(crate) fn of(job: &JobRecord, reason: &'a str) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            rollup_id: job.rollup_id,
            reason,
        }
    }
}
