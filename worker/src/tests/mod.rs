//! Slots with scripted provers over the embedded back-ends. The clock is
//! paused: hours pass at once, and nothing sleeps to wait.

mod control;
mod drain;
mod failures;
mod life;
mod memory;

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    sync::{Notify, broadcast},
    task::JoinHandle,
    time::{Instant, sleep},
};
use zkwhirl_broker_adapter as broker;
use zkwhirl_broker_adapter::Broker;
use zkwhirl_job::{
    AttemptRecord, Failure, Frame, JobId, TicketId, Topic,
    envelope::{JobEnvelope, Outcome, Payload, ResultEnvelope},
};
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::{Events, JobEvent, JobRecord, JobState, Ledger, Ticket};
use zkwhirl_prover::{Phase, Progress, ProveError, ProveTask, ProveWatch, Proved, Prover};
use zkwhirl_testkit::{claim_job, eventually};

use crate::{Admission, Deadlines, Slot, Stop, WorkerConfig, WorkerDeps, run};

/// What a scripted prover does with a task.
#[derive(Clone)]
enum Act {
    /// Replies after this many seconds.
    Prove(u64),
    Fail(Failure),
    Panic,
    /// Never ends, not even when cancelled.
    Hang,
    /// Ends when it is cancelled.
    UntilCancelled,
    Reply(Bytes),
}

type Script = dyn Fn(&Call) -> Act + Send + Sync;

/// One call of a prover.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    slot: String,
    request: Bytes,
    /// How often any prover proved this request before.
    before: usize,
    at: Instant,
}

#[derive(Default)]
struct Log {
    calls: Vec<Call>,
    healed: Vec<(String, &'static str)>,
    /// Self-tests that fail before one succeeds.
    self_tests_fail: usize,
    /// Restarts that fail before one succeeds.
    restarts_fail: usize,
}

struct Scripted {
    slot: String,
    script: Arc<Script>,
    log: Arc<Mutex<Log>>,
    began: Arc<Notify>,
}

#[async_trait]
impl Prover for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn prove(&mut self, task: &ProveTask, watch: &ProveWatch) -> Result<Proved, ProveError> {
        let call = {
            let mut log = self.log.lock().unwrap();
            let same = |call: &&Call| call.request == task.request;
            let call = Call {
                slot: self.slot.clone(),
                request: task.request.clone(),
                before: log.calls.iter().filter(same).count(),
                at: Instant::now(),
            };
            log.calls.push(call.clone());
            call
        };
        self.began.notify_one();
        watch.progress.send_replace(Progress {
            phase: Phase::Prove,
            fraction: 0.5,
        });
        let start = Instant::now();
        let fail = |failure| Err(ProveError::plain(failure, start.elapsed()));
        let reply = match (self.script)(&call) {
            Act::Prove(time) => {
                tokio::select! {
                    () = sleep(seconds(time)) => reply_to(&task.request),
                    () = watch.cancel.cancelled() => return fail(Failure::interrupted("told to")),
                }
            }
            Act::Reply(reply) => reply,
            Act::Fail(failure) => return fail(failure),
            Act::Panic => panic!("scripted"),
            Act::Hang => std::future::pending().await,
            Act::UntilCancelled => {
                watch.cancel.cancelled().await;
                return fail(Failure::prover("signal 15"));
            }
        };
        Ok(Proved {
            reply,
            duration: start.elapsed(),
            peak_rss_bytes: Some(1 << 20),
        })
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        let mut log = self.healed("restart");
        fail_once_more(&mut log.restarts_fail, "no reference string")
    }

    async fn self_test(&mut self) -> Result<(), Failure> {
        let mut log = self.healed("self-test");
        fail_once_more(&mut log.self_tests_fail, "still broken")
    }

    async fn stop(&mut self) {
        drop(self.healed("stop"));
    }
}

impl Scripted {
    fn healed(&self, what: &'static str) -> MutexGuard<'_, Log> {
        let mut log = self.log.lock().unwrap();
        log.healed.push((self.slot.clone(), what));
        log
    }
}

fn fail_once_more(left: &mut usize, why: &str) -> Result<(), Failure> {
    match left.checked_sub(1) {
        None => Ok(()),
        Some(fewer) => {
            *left = fewer;
            Err(Failure::prover(why))
        }
    }
}

/// Does this with the first attempt at a request, and proves it with the next.
fn at_first(act: Act) -> impl Fn(&Call) -> Act + Send + Sync + 'static {
    move |call| match call.before {
        0 => act.clone(),
        _ => Act::Prove(1),
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn reply_to(request: &Bytes) -> Bytes {
    [b"proof of ", &request[..]].concat().into()
}

fn request_of(job: &JobEnvelope) -> Bytes {
    match &job.payload {
        Payload::Inline(request) => request.clone(),
        Payload::Stored { .. } => Bytes::new(),
    }
}

struct World {
    broker: broker::EmbeddedBroker,
    ledger: ledger::EmbeddedLedger,
    events: Events,
    seen: broadcast::Receiver<JobEvent>,
    log: Arc<Mutex<Log>>,
    began: Arc<Notify>,
    stop: Stop,
    config: WorkerConfig,
    worker: Option<JoinHandle<()>>,
}

impl World {
    fn new() -> Self {
        let events = Events::default();
        Self {
            broker: broker::EmbeddedBroker::default(),
            ledger: ledger::EmbeddedLedger::default(),
            seen: events.subscribe(),
            events,
            log: Arc::default(),
            began: Arc::default(),
            stop: Stop::default(),
            config: WorkerConfig {
                deadlines: Deadlines::all(seconds(600)),
                ..WorkerConfig::default()
            },
            worker: None,
        }
    }

    /// A world with one worker of `slots` slots that follow a script.
    fn start(slots: usize, script: impl Fn(&Call) -> Act + Send + Sync + 'static) -> Self {
        let mut world = Self::new();
        world.work(slots, script);
        world
    }

    fn work(&mut self, slots: usize, script: impl Fn(&Call) -> Act + Send + Sync + 'static) {
        let script: Arc<Script> = Arc::new(script);
        let slots = (0..slots).map(|n| {
            let name = format!("w/{n}");
            let prover = Scripted {
                slot: name.clone(),
                script: script.clone(),
                log: self.log.clone(),
                began: self.began.clone(),
            };
            Slot {
                name,
                topics: vec![Topic::Outer, Topic::Inner],
                prover: Box::new(prover),
            }
        });
        let deps = WorkerDeps {
            broker: Arc::new(self.broker.clone()),
            ledger: Arc::new(self.ledger.clone()),
            events: self.events.clone(),
        };
        let (config, stop) = (self.config.clone(), self.stop.clone());
        let worker = run(config, deps, slots.collect(), stop);
        self.worker = Some(tokio::spawn(worker));
    }

    /// Takes a job as the bridge does, and publishes it.
    async fn publish(&self, n: u32) -> JobEnvelope {
        let job = claim_job(n);
        self.take(&job).await;
        self.broker.publish(&job, None).await.unwrap();
        job
    }

    async fn publish_all(&self, numbers: Range<u32>) {
        for n in numbers {
            self.publish(n).await;
        }
    }

    async fn take(&self, job: &JobEnvelope) {
        let (id, data) = (TicketId(job.id.0), request_of(job));
        let record = JobRecord::of_frame(&Frame {
            ticket: id,
            command: 4,
            data: data.clone(),
        });
        let record = JobRecord {
            kind: Some(job.kind),
            ..record
        };
        let ticket = Ticket {
            id,
            upstream: "inner".into(),
            job: job.id,
            taken_at_ms: 0,
        };
        self.ledger.take(&ticket, &record, &data).await.unwrap();
    }

    /// The next result, acknowledged.
    async fn result(&self) -> ResultEnvelope {
        let mut results = self.broker.results().await.unwrap();
        let next = tokio::time::timeout(seconds(10 * 3600), results.next()).await;
        let mut delivery = next.expect("a result comes").unwrap();
        delivery.ack().await.unwrap();
        delivery.result.clone()
    }

    fn calls(&self) -> Vec<Call> {
        self.log.lock().unwrap().calls.clone()
    }

    fn healed(&self) -> Vec<(String, &'static str)> {
        self.log.lock().unwrap().healed.clone()
    }

    /// The names of the events so far, without progress.
    fn happened(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Ok(event) = self.seen.try_recv() {
            names.push(event.what.name());
        }
        names
    }

    /// The calls to provers so far, in order.
    fn healings(&self) -> Vec<&'static str> {
        self.healed().into_iter().map(|(_, what)| what).collect()
    }

    async fn depth(&self) -> broker::Depth {
        self.broker.depth(Topic::Inner).await.unwrap()
    }

    async fn until_idle(&self) {
        let idle = async || self.depth().await.unfinished() == 0;
        eventually("all deliveries are settled", idle).await;
    }

    async fn state(&self, job: JobId) -> JobState {
        self.ledger.job(job).await.unwrap().unwrap().state
    }

    async fn attempts(&self, job: JobId) -> Vec<AttemptRecord> {
        self.ledger.attempts(job).await.unwrap()
    }

    async fn letter(&self, job: JobId) -> broker::DeadLetter {
        self.broker.dead_letter(job).await.unwrap().unwrap()
    }

    /// Publishes a job and waits until its prover has begun.
    async fn begin(&self, n: u32) -> JobEnvelope {
        let job = self.publish(n).await;
        self.began.notified().await;
        job
    }

    async fn transition(&self, job: JobId, state: JobState) {
        let note = ledger::Note::default();
        let moved = self.ledger.transition(job, &JobState::ALL, state, &note);
        assert!(moved.await.unwrap());
    }

    async fn until_consumers(&self, slots: usize) {
        let there = async || self.depth().await.consumers == slots;
        eventually(&format!("{slots} slots are in the queue"), there).await;
    }

    /// Drains the worker and returns how long it takes to end.
    async fn drain(&mut self) -> Duration {
        self.stop.drain.cancel();
        self.left().await
    }

    /// How long the worker takes to leave.
    async fn left(&mut self) -> Duration {
        let start = Instant::now();
        self.worker.take().unwrap().await.unwrap();
        start.elapsed()
    }
}

#[track_caller]
fn proof_in(result: &ResultEnvelope) -> &Bytes {
    match &result.outcome {
        Outcome::Proved(reply) => reply,
        Outcome::Dead(failure) => panic!("dead: {failure}"),
    }
}
