//! What the console's API says, as JSON: what the page draws and the command
//! line prints. Ids are hexadecimal, times milliseconds since the Unix epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zkwhirl_job::AttemptRecord;

use crate::{
    broker::DeadLetter,
    ledger::{JobRecord, SlotReport, Ticket},
};

/// A list, and when it was read by the server's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The server's clock.
    pub now_ms: u64,
    /// What there is.
    pub items: Vec<T>,
}

/// How the bridge is, for every page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The server's clock.
    pub now_ms: u64,
    /// The bridge's name.
    pub bridge: String,
    /// The release that it runs.
    pub version: String,
    /// Whether there is an operator's token: without one nobody can act.
    pub can_act: bool,
    /// Tickets that are pinged now.
    pub open_tickets: usize,
    /// Slots that said something in the last seconds.
    pub slots: usize,
    /// Jobs in the dead letters.
    pub dead: usize,
    /// What is wrong now.
    pub banners: Vec<Banner>,
}

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banner {
    /// `alarm` or `warning`.
    pub level: String,
    /// One sentence.
    pub text: String,
    /// What to do about it, as one sentence.
    pub way_out: String,
}

/// A job in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobLine {
    /// Its id.
    pub id: String,
    /// Its kind; `unknown` for a command that nobody knows.
    pub kind: String,
    /// Its topic; empty for a kind that nobody knows.
    pub topic: String,
    /// The rollup that it is part of.
    pub rollup_id: Option<u32>,
    /// Its state.
    pub state: String,
    /// The attempt that runs or that comes next.
    pub attempt: u32,
    /// The worker that had it last.
    pub worker: Option<String>,
    /// Why it is where it is.
    pub reason: Option<String>,
    /// Bytes of its request.
    pub request_bytes: usize,
    /// When it was taken.
    pub taken_at_ms: u64,
    /// When its state last changed.
    pub changed_at_ms: u64,
}

/// Jobs that match what was asked for, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Jobs {
    /// The server's clock.
    pub now_ms: u64,
    /// Jobs in each state, whatever was asked for.
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
    pub steps: Vec<Step>,
    /// Its runs on workers, oldest first.
    pub runs: Vec<Run>,
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

/// One thing that happened to a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at_ms: u64,
    /// What: `taken`, `queued`, `claimed`, `proved`, ...
    pub what: String,
    /// The attempt, where it matters.
    pub attempt: Option<u32>,
    /// The worker, where it matters.
    pub worker: Option<String>,
    /// More about it.
    pub text: Option<String>,
}

/// A job in a worker's hands, from the claim on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The worker.
    pub worker: String,
    /// The attempt.
    pub attempt: u32,
    /// When it began.
    pub from_ms: u64,
    /// When it ended; `None`: it goes on.
    pub to_ms: Option<u64>,
    /// `running`, `proved`, `failed`, `handed-back`, `unverified`.
    pub outcome: String,
    /// What the prover did, in order.
    pub phases: Vec<Phase>,
    /// How much of the last phase is done, 0 to 1.
    pub fraction: f32,
}

/// What a prover did for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// `key`, `witness`, `prove`, `verify`.
    pub name: String,
    /// When it began.
    pub from_ms: u64,
    /// When it ended, or what is known so far.
    pub to_ms: u64,
}

/// A rollup as a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rollup {
    /// Its id.
    pub id: u32,
    /// `proving`, `halted` by a dead letter, or `settled`.
    pub state: String,
    /// When its first job was taken.
    pub began_ms: u64,
    /// When the answer to its root verifier was delivered.
    pub ended_ms: Option<u64>,
    /// How long it will still take.
    pub left_ms: Option<u64>,
    /// How long with twice as many slots for inner jobs.
    pub left_with_twice_ms: Option<u64>,
    /// Slots that take inner jobs.
    pub slots: usize,
    /// Attempts that failed.
    pub retries: usize,
    /// What these took.
    pub wasted_ms: u64,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// Its jobs' runs.
    pub bars: Vec<Bar>,
    /// The jobs that decided how long it took, in order: see the docs.
    pub critical: Vec<String>,
}

/// A stage of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    /// `claims`, `inner`, `root`, `verifier`.
    pub name: String,
    /// Jobs that were asked for.
    pub total: usize,
    /// Jobs that are proved.
    pub done: usize,
    /// Jobs in workers' hands.
    pub running: usize,
    /// Jobs in the dead letters.
    pub dead: usize,
}

/// A run of a job of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bar {
    /// The job.
    pub job: String,
    /// Its kind.
    pub kind: String,
    /// Its stage.
    pub stage: String,
    /// The run.
    #[serde(flatten)]
    pub run: Run,
}

/// A slot of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub slot: String,
    /// What it takes.
    pub topics: Vec<String>,
    /// What it proves with.
    pub prover: String,
    /// The release that it runs.
    pub version: String,
    /// `starting`, `idle`, `proving`, `waiting`, `quiet` or `draining`.
    pub state: String,
    /// True after it was told to claim no more.
    pub quiet: bool,
    /// True while it ends.
    pub draining: bool,
    /// Since when it does what it does.
    pub since_ms: u64,
    /// When it last said so.
    pub at_ms: u64,
    /// The job that it has.
    pub job: Option<String>,
    /// That job's kind.
    pub kind: Option<String>,
    /// That job's attempt.
    pub attempt: u32,
    /// What the prover does.
    pub phase: String,
    /// How much of that is done, 0 to 1.
    pub fraction: f32,
    /// Jobs that it proved since it started.
    pub done: u64,
    /// Attempts that failed since it last proved something.
    pub failures: u32,
    /// Resident memory of its prover's process; 0 without one.
    pub resident_bytes: u64,
}

/// A dead letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dead {
    /// The job.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The rollup that it is part of.
    pub rollup_id: Option<u32>,
    /// One sentence, for people.
    pub reason: String,
    /// When the job was taken.
    pub taken_at_ms: u64,
    /// When it was given up on.
    pub died_at_ms: u64,
    /// Its failed attempts.
    pub attempts: Vec<AttemptLine>,
}

/// A key that is here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// The circuit.
    pub circuit: String,
    /// The key's id; empty when it cannot be used.
    pub id: String,
    /// Rows of the circuit.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Digest of the verification key.
    pub vk: String,
    /// Where its secret numbers came from.
    pub provenance: String,
    /// True when everybody can forge proofs under it.
    pub insecure: bool,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// A topic's queue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    /// The topic.
    pub topic: String,
    /// Jobs that wait for a worker.
    pub ready: usize,
    /// Jobs in workers' hands.
    pub in_flight: usize,
    /// Jobs on the retry rungs, shortest first.
    pub rungs: Vec<usize>,
    /// Live consumers.
    pub consumers: usize,
    /// How long the oldest job that is not finished is there.
    pub oldest_ms: Option<u64>,
    /// Jobs taken in the last minute.
    pub taken_per_min: usize,
    /// Jobs proved in the last minute.
    pub proved_per_min: usize,
    /// Why nothing is known.
    pub error: Option<String>,
}

/// Something that an operator did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at_ms: u64,
    /// Who, as they called themselves.
    pub who: String,
    /// What: `replay`, `reject`, ...
    pub what: String,
    /// A job's id or a worker's name.
    pub on: String,
    /// Why, or how it ended.
    pub text: String,
    /// Whether it was done.
    pub done: bool,
}

impl JobLine {
    /// A record as a line.
    pub fn of(job: &JobRecord) -> Self {
        let name = |kind: zkwhirl_job::Kind| kind.name().to_owned();
        Self {
            id: job.id.to_string(),
            kind: job.kind.map_or_else(|| "unknown".to_owned(), name),
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

impl Slot {
    /// A report as a line.
    pub fn of(report: &SlotReport) -> Self {
        let state = match report {
            report if report.draining => "draining",
            report if report.quiet && report.job.is_none() => "quiet",
            report => report.doing.name(),
        };
        let topics = report.topics.iter().map(|topic| topic.name().to_owned());
        Self {
            slot: report.slot.clone(),
            topics: topics.collect(),
            prover: report.prover.clone(),
            version: report.version.clone(),
            state: state.to_owned(),
            quiet: report.quiet,
            draining: report.draining,
            since_ms: report.since_ms,
            at_ms: report.at_ms,
            job: report.job.map(|job| job.to_string()),
            kind: report.kind.map(|kind| kind.name().to_owned()),
            attempt: report.attempt,
            phase: report.phase.clone(),
            fraction: report.fraction,
            done: report.done,
            failures: report.failures,
            resident_bytes: report.resident_bytes,
        }
    }
}

impl Dead {
    /// A letter as a line.
    pub fn of(letter: &DeadLetter) -> Self {
        let kind = letter.kind.map_or("unknown", zkwhirl_job::Kind::name);
        Self {
            id: letter.id.to_string(),
            kind: kind.to_owned(),
            rollup_id: letter.rollup_id,
            reason: letter.reason.clone(),
            taken_at_ms: letter.taken_at_ms,
            died_at_ms: letter.died_at_ms,
            attempts: letter.history.iter().map(AttemptLine::of).collect(),
        }
    }
}
