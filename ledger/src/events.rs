//! The events of this process: each change of a job, as it happens.
//!
//! Each event is logged and broadcast. The channel is bounded: a slow reader loses
//! the oldest events and learns how many. The ledger's records are the truth.

use std::time::Duration;

use tokio::sync::broadcast;
use zkwhirl_job::{FailureClass, JobId, Kind, TicketId, clock};

use crate::EventName;

/// How many events a reader may lag behind before it loses the oldest.
const BACKLOG: usize = 8_192;

/// An event of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// When the event happened, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The job's id.
    pub job: JobId,
    /// The job's kind; `None` if the kind is unknown.
    pub kind: Option<Kind>,
    /// The id of the job's rollup; `None` if the rollup is unknown.
    pub rollup_id: Option<u32>,
    /// The kind of the event, with its details.
    pub what: JobEventKind,
}

/// The kinds of events of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEventKind {
    /// The first ticket of the job was taken.
    Taken {
        /// The ticket.
        ticket: TicketId,
        /// The upstream that it came from.
        upstream: String,
    },
    /// A further ticket waits for the same job.
    Joined {
        /// The ticket.
        ticket: TicketId,
        /// The upstream that it came from.
        upstream: String,
    },
    /// The broker confirmed the job.
    Queued {
        /// The number of the next attempt, from 1.
        attempt: u32,
    },
    /// A worker has the job.
    Claimed {
        /// The worker.
        worker: String,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// A prover reported its progress.
    Progress {
        /// The worker.
        worker: String,
        /// The prover's phase: `key`, `witness`, `prove` or `verify`.
        phase: &'static str,
        /// How much of the phase is done, 0 to 1.
        fraction: f32,
    },
    /// An attempt failed; another will follow.
    Retrying {
        /// The worker that failed.
        worker: String,
        /// The attempt that failed.
        attempt: u32,
        /// The class of the failure.
        class: FailureClass,
        /// Why the attempt failed, as one sentence.
        reason: String,
    },
    /// A worker requeued the job, because the worker drains or the attempt was cancelled.
    HandedBack {
        /// The worker.
        worker: String,
    },
    /// The job became a dead letter; its tickets stay open.
    Dead {
        /// Why the job became a dead letter, as one sentence.
        reason: String,
    },
    /// A worker proved the job.
    Proved {
        /// The worker.
        worker: String,
        /// The attempt that succeeded.
        attempt: u32,
        /// How long the prover took.
        duration: Duration,
        /// The size of the reply in bytes.
        reply_bytes: usize,
        /// The prover's peak resident memory in bytes, if it is known.
        peak_rss_bytes: Option<u64>,
    },
    /// The bridge refused a proof that does not verify.
    Unverified {
        /// The worker that sent the proof.
        worker: String,
        /// Why the bridge refused the proof.
        reason: String,
    },
    /// Falafel accepted the answer to one ticket.
    Delivered {
        /// The ticket.
        ticket: TicketId,
    },
    /// An operator rejected the job: a NACK goes to each of its tickets.
    Rejected {
        /// The operator's reason.
        reason: String,
    },
    /// An operator sent the job of a dead letter back to the queue.
    Replayed,
    /// No ticket waits for the job any more.
    Withdrawn,
    /// The broker had lost the job; the bridge published it again.
    Republished,
}

impl JobEventKind {
    /// The event's name as an enum.
    pub fn event(&self) -> EventName {
        match self {
            Self::Taken { .. } => EventName::Taken,
            Self::Joined { .. } => EventName::Joined,
            Self::Queued { .. } => EventName::Queued,
            Self::Claimed { .. } => EventName::Claimed,
            Self::Progress { .. } => EventName::Progress,
            Self::Retrying { .. } => EventName::Retrying,
            Self::HandedBack { .. } => EventName::HandedBack,
            Self::Dead { .. } => EventName::Dead,
            Self::Proved { .. } => EventName::Proved,
            Self::Unverified { .. } => EventName::Unverified,
            Self::Delivered { .. } => EventName::Delivered,
            Self::Rejected { .. } => EventName::Rejected,
            Self::Replayed => EventName::Replayed,
            Self::Withdrawn => EventName::Withdrawn,
            Self::Republished => EventName::Republished,
        }
    }

    /// The event's name in logs and metrics.
    pub fn name(&self) -> &'static str {
        self.event().name()
    }

    /// Logs one line; each detail is a field, for searches.
    fn log(&self, job: JobId, kind: Option<Kind>, rollup_id: Option<u32>) {
        let (mut ticket, mut phase, mut seconds) = (None, None, None);
        match self {
            Self::Taken { ticket: of, .. }
            | Self::Joined { ticket: of, .. }
            | Self::Delivered { ticket: of } => ticket = Some(of),
            Self::Progress { phase: of, .. } => phase = Some(*of),
            Self::Proved { duration, .. } => seconds = Some(duration.as_secs_f64()),
            _ => {}
        }
        /// `tracing` needs the level when the program is compiled.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    job = %job,
                    kind = kind.map(Kind::name),
                    rollup = rollup_id,
                    event = self.name(),
                    worker = self.worker(),
                    attempt = self.attempt(),
                    ticket = ticket.map(tracing::field::display),
                    phase,
                    seconds,
                    reason = self.reason(),
                    "job {} {}",
                    job.short(),
                    self.name()
                )
            };
        }
        match self {
            Self::Progress { .. } => line!(debug),
            Self::Retrying { .. }
            | Self::Dead { .. }
            | Self::Unverified { .. }
            | Self::Rejected { .. }
            | Self::Republished => line!(warn),
            _ => line!(info),
        }
    }

    pub(crate) fn worker(&self) -> Option<&str> {
        match self {
            Self::Claimed { worker, .. }
            | Self::Progress { worker, .. }
            | Self::Retrying { worker, .. }
            | Self::HandedBack { worker }
            | Self::Proved { worker, .. }
            | Self::Unverified { worker, .. } => Some(worker),
            _ => None,
        }
    }

    pub(crate) fn attempt(&self) -> Option<u32> {
        match self {
            Self::Queued { attempt }
            | Self::Claimed { attempt, .. }
            | Self::Retrying { attempt, .. }
            | Self::Proved { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Retrying { reason, .. }
            | Self::Dead { reason }
            | Self::Unverified { reason, .. }
            | Self::Rejected { reason } => Some(reason),
            _ => None,
        }
    }
}

/// The events of this process; clones share one channel.
#[derive(Debug, Clone)]
pub struct Events(broadcast::Sender<JobEvent>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Events {
    /// Returns a receiver of all events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<JobEvent> {
        self.0.subscribe()
    }

    /// Logs and broadcasts an event that happens now.
    pub fn emit(&self, job: JobId, kind: Option<Kind>, rollup_id: Option<u32>, what: JobEventKind) {
        what.log(job, kind, rollup_id);
        // An error means that no reader subscribed.
        let _ = self.0.send(JobEvent {
            at_ms: clock::now_ms(),
            job,
            kind,
            rollup_id,
            what,
        });
    }
}
