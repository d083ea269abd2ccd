//! Views of jobs: lists, details, and dead letters.

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
    /// The job's id.
    pub id: String,
    /// The job's kind; `unknown` for an unknown command.
    pub kind: String,
    /// The job's topic; empty for an unknown kind.
    pub topic: String,
    /// The rollup that the job belongs to; `None` if unknown.
    pub rollup_id: Option<u32>,
    /// The job's state.
    pub state: String,
    /// The number of the running or the next attempt.
    pub attempt: u32,
    /// The name of the worker that claimed the job last.
    pub worker: Option<String>,
    /// Why the job is in its state.
    pub reason: Option<String>,
    /// Size of the job's request in bytes.
    pub request_bytes: usize,
    /// When the bridge took the job.
    pub taken_at_ms: u64,
    /// When the job's state last changed.
    pub changed_at_ms: u64,
}

impl JobLine {
    /// Makes a line from a job's record.
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
    /// The time of the answer, by the server's clock.
    pub now_ms: u64,
    /// The number of all known jobs by state, without the query's filter.
    pub counts: BTreeMap<String, usize>,
    /// The number of jobs that match the query.
    pub matched: usize,
    /// The newest matching jobs, up to the query's limit.
    pub items: Vec<JobLine>,
}

/// Everything about one job except its request's and its reply's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobDetail {
    /// The time of the answer, by the server's clock.
    pub now_ms: u64,
    /// The job.
    pub job: JobLine,
    /// The open tickets that wait for the job.
    pub tickets: Vec<TicketLine>,
    /// The job's failed attempts, oldest first.
    pub attempts: Vec<AttemptLine>,
    /// The job's changes of state, oldest first.
    pub steps: Vec<JobStep>,
    /// The job's runs on workers, oldest first.
    pub runs: Vec<JobRun>,
}

/// An open ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketLine {
    /// Falafel's id of the ticket.
    pub id: String,
    /// The name of the upstream that issued the ticket.
    pub upstream: String,
    /// When the bridge took the ticket.
    pub taken_at_ms: u64,
}

impl TicketLine {
    /// Makes a line from a ticket.
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
    /// The attempt's number.
    pub attempt: u32,
    /// The name of the worker that made the attempt.
    pub worker: String,
    /// The class of the failure.
    pub class: String,
    /// Why the attempt failed.
    pub reason: String,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// The prover's exit code or signal, if its process ended.
    pub exit: Option<String>,
    /// The end of the prover's standard error.
    pub stderr_tail: String,
    /// The prover's peak resident memory, in bytes.
    pub peak_rss_bytes: Option<u64>,
}

impl AttemptLine {
    /// Makes a line from an attempt's record.
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
    /// The job's id.
    pub id: String,
    /// The job's kind; `unknown` for an unknown command.
    pub kind: String,
    /// The rollup that the job belongs to; `None` if unknown.
    pub rollup_id: Option<u32>,
    /// Why the job became a dead letter, as one sentence.
    pub reason: String,
    /// When the bridge took the job.
    pub taken_at_ms: u64,
    /// When the job became a dead letter.
    pub died_at_ms: u64,
    /// The job's failed attempts, oldest first.
    pub attempts: Vec<AttemptLine>,
}

impl DeadLetterView {
    /// Makes a view from a dead letter.
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
