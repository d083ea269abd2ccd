//! Jobs: in lists, one by one, and the dead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zkwhirl_broker_adapter::DeadLetter;
use zkwhirl_job::{AttemptRecord, Kind};
use zkwhirl_ledger::{
    JobRecord, Ticket,
    model::{JobRun, JobStep},
};

fn kind_name(kind: Option<Kind>) -> String {
    kind.map_or("unknown", Kind::name).to_owned()
}

/// A job in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobLine {
    /// Its id.
    pub id: String,
    /// Its kind; `unknown` for a command of no known kind.
    pub kind: String,
    /// Its topic; empty for an unknown kind.
    pub topic: String,
    /// The rollup that it is part of.
    pub rollup_id: Option<u32>,
    /// Its state.
    pub state: String,
    /// The attempt that runs or that comes next.
    pub attempt: u32,
    /// The worker that had it last.
    pub worker: Option<String>,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// Bytes of its request.
    pub request_bytes: usize,
    /// When it was taken.
    pub taken_at_ms: u64,
    /// When its state last changed.
    pub changed_at_ms: u64,
}

impl JobLine {
    /// A record as a line.
    pub fn of(job: &JobRecord) -> Self {
        Self {
            id: job.id.to_string(),
            kind: kind_name(job.kind),
            topic: job.kind.map_or("", |kind| kind.topic().name()).to_owned(),
            rollup_id: job.rollup_id,
            state: job.state.name().to_owned(),
            attempt: job.attempt,
            worker: job.worker.clone(),
            reason: job.reason.clone(),
            request_bytes: job.request_bytes,
            taken_at_ms: job.taken_at_ms,
            changed_at_ms: job.changed_at_ms,
        }
    }
}

/// Jobs that match a query, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobList {
    /// The server's clock.
    pub now_ms: u64,
    /// All known jobs of each state, whatever the query.
    pub counts: BTreeMap<String, usize>,
    /// How many match.
    pub matched: usize,
    /// The first of them.
    pub items: Vec<JobLine>,
}

/// Everything about one job but its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobDetail {
    /// The server's clock.
    pub now_ms: u64,
    /// The job.
    pub job: JobLine,
    /// The tickets that wait for it.
    pub tickets: Vec<TicketLine>,
    /// Its failed attempts, oldest first.
    pub attempts: Vec<AttemptLine>,
    /// What happened to it, oldest first.
    pub steps: Vec<JobStep>,
    /// Its runs on workers, oldest first.
    pub runs: Vec<JobRun>,
}

/// A ticket that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketLine {
    /// Falafel's id.
    pub id: String,
    /// The upstream that it came from.
    pub upstream: String,
    /// When it was taken.
    pub taken_at_ms: u64,
}

impl TicketLine {
    /// A ticket as a line.
    pub fn of(ticket: &Ticket) -> Self {
        Self {
            id: ticket.id.to_string(),
            upstream: ticket.upstream.clone(),
            taken_at_ms: ticket.taken_at_ms,
        }
    }
}

/// A failed attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttemptLine {
    /// Its number.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: String,
    /// What kind of failure it was.
    pub class: String,
    /// Why.
    pub reason: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The prover's exit.
    pub exit: Option<String>,
    /// The end of the prover's standard error.
    pub stderr_tail: String,
    /// The prover's peak resident memory.
    pub peak_rss_bytes: Option<u64>,
}

impl AttemptLine {
    /// A record as a line.
    pub fn of(attempt: &AttemptRecord) -> Self {
        Self {
            attempt: attempt.attempt,
            worker: attempt.worker.clone(),
            class: attempt.failure.class.to_string(),
            reason: attempt.failure.reason.clone(),
            duration_ms: attempt.duration.as_millis() as u64,
            exit: attempt.exit.clone(),
            stderr_tail: attempt.stderr_tail.clone(),
            peak_rss_bytes: attempt.peak_rss_bytes,
        }
    }
}

/// A dead letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetterView {
    /// The job.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The rollup that it is part of.
    pub rollup_id: Option<u32>,
    /// Why, as one sentence.
    pub reason: String,
    /// When the job was taken.
    pub taken_at_ms: u64,
    /// When it became a dead letter.
    pub died_at_ms: u64,
    /// Its failed attempts.
    pub attempts: Vec<AttemptLine>,
}

impl DeadLetterView {
    /// A letter as a line.
    pub fn of(letter: &DeadLetter) -> Self {
        Self {
            id: letter.id.to_string(),
            kind: kind_name(letter.kind),
            rollup_id: letter.rollup_id,
            reason: letter.reason.clone(),
            taken_at_ms: letter.taken_at_ms,
            died_at_ms: letter.died_at_ms,
            attempts: letter.history.iter().map(AttemptLine::of).collect(),
        }
    }
}
