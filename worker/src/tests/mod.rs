//! Slots with scripted provers over the embedded back-ends. The clock is
//! paused: hours pass at once, and nothing sleeps to wait.

mod control;
mod drain;
mod failures;
mod life;
mod memory;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
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
    Failure, Frame, JobId, TicketId, Topic,
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
    /// Replies after this long.
    Prove(Duration),
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
    /// How often this request was proved before, by anybody.
    before: usize,
    at: Instant,
}

#[derive(Default)]
struct Log {
    calls: Vec<Call>,
    started: HashMap<Bytes, usize>,
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
            let count = log.started.entry(task.request.clone()).or_default();
            *count += 1;
            let call = Call {
                slot: self.slot.clone(),
                request: task.request.clone(),
                before: *count - 1,
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
                    () = sleep(time) => reply_to(&task.request),
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
        self.healed("restart");
        let mut log = self.log.lock().unwrap();
        if log.restarts_fail > 0 {
            log.restarts_fail -= 1;
            return Err(Failure::infrastructure("no reference string"));
        }
        Ok(())
    }

    async fn self_test(&mut self) -> Result<(), Failure> {
        self.healed("self-test");
        let mut log = self.log.lock().unwrap();
        if log.self_tests_fail > 0 {
            log.self_tests_fail -= 1;
            return Err(Failure::prover("still broken"));
        }
        Ok(())
    }

    async fn stop(&mut self) {
        self.healed("stop");
    }
}

impl Scripted {
    fn healed(&self, what: &'static str) {
        let mut log = self.log.lock().unwrap();
        log.healed.push((self.slot.clone(), what));
    }
}

fn reply_to(request: &Bytes) -> Bytes {
    let mut reply = b"proof of ".to_vec();
    reply.extend_from_slice(request);
    reply.into()
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
                deadlines: Deadlines::all(Duration::from_secs(600)),
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
        let worker = run(
            self.config.clone(),
            deps,
            slots.collect(),
            self.stop.clone(),
        );
        self.worker = Some(tokio::spawn(worker));
    }

    /// Takes a job as the bridge does, and publishes it.
    async fn publish(&self, n: u32) -> JobEnvelope {
        let job = claim_job(n);
        self.take(&job).await;
        self.broker.publish(&job, None).await.unwrap();
        job
    }

    async fn take(&self, job: &JobEnvelope) {
        let request = request_of(job);
        let mut record = JobRecord::of_frame(&Frame {
            ticket: TicketId([0; 32]),
            command: 4,
            data: request.clone(),
        });
        record.kind = Some(job.kind);
        let ticket = Ticket {
            id: TicketId(job.id.0),
            upstream: "inner".into(),
            job: job.id,
            taken_at_ms: 0,
        };
        self.ledger.take(&ticket, &record, &request).await.unwrap();
    }

    /// The next result, acknowledged.
    async fn result(&self) -> ResultEnvelope {
        let mut results = self.broker.results().await.unwrap();
        let hours = Duration::from_secs(10 * 3600);
        let next = tokio::time::timeout(hours, results.next()).await;
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

    /// What happened so far, by name; progress apart.
    fn happened(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Ok(event) = self.seen.try_recv() {
            names.push(event.what.name());
        }
        names
    }

    async fn until_idle(&self) {
        let idle = || async {
            let depth = self.broker.depth(Topic::Inner).await.unwrap();
            depth.unfinished() == 0
        };
        eventually("all deliveries are settled", idle).await;
    }

    async fn state(&self, job: JobId) -> JobState {
        self.ledger.job(job).await.unwrap().unwrap().state
    }
}

#[track_caller]
fn proof_in(result: &ResultEnvelope) -> &Bytes {
    match &result.outcome {
        Outcome::Proved(reply) => reply,
        Outcome::Dead(failure) => panic!("dead: {failure}"),
    }
}
