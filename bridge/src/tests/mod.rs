//! The bridge between a small Falafel and the embedded back-ends.
//!
//! These run on the real clock, because there are real sockets; periods are a
//! fifth of production's.

mod answers;
mod faults;
mod fleet;
mod intake;
mod lease;
mod local;
mod on_redis;
mod operator;
mod requests;
mod restart;
mod shared_redis;
mod supervision;
mod unverified;
mod vks;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{
    Command, JobId, Kind, Sizes, Topic,
    envelope::{JobEnvelope, Outcome, Payload, ResultEnvelope},
    reply::NotVerified,
};

use super::*;
use crate::falafel::{LeaseConfig, Upstream};
use zkwhirl_broker_adapter as broker;
use zkwhirl_broker_adapter::{Broker, Settlement};
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::{
    JobState, Ledger,
    events::{Events, JobEvent, JobEventKind},
};
use zkwhirl_testkit::{eventually, stub::Stub};

/// Longer than any stall of a loaded machine that runs the tests.
const LEASE: Duration = Duration::from_secs(4);

/// Replies are good when they start with `proof`. Those that start with `keyed`
/// are good while the key is there.
#[derive(Debug, Default)]
struct Verifier {
    key_away: AtomicBool,
}

impl ReplyVerifier for Verifier {
    fn verify(&self, _kind: Kind, _request: &Bytes, reply: &Bytes) -> Result<(), NotVerified> {
        let away = self.key_away.load(Ordering::Relaxed);
        match &reply[..] {
            b"proof that panics" => panic!("for the test"),
            reply if reply.starts_with(b"keyed") && away => {
                Err(NotVerified::cannot_check("there is no key"))
            }
            reply if reply.starts_with(b"proof") || reply.starts_with(b"keyed proof") => Ok(()),
            _ => Err(NotVerified::refused("pairing is not one")),
        }
    }
}

/// A claim request that differs from the others in its claim note's index.
fn claim(n: u32) -> Bytes {
    let mut request = BytesMut::from(&include_bytes!("../../../tests/vectors/claim_0.bin")[..]);
    request[68..72].copy_from_slice(&n.to_be_bytes());
    request.freeze()
}

fn claim_id(n: u32) -> JobId {
    JobId::of(Command::CreateProof, &claim(n))
}

struct World {
    falafel: Stub,
    broker: broker::EmbeddedBroker,
    ledger: ledger::EmbeddedLedger,
    events: Events,
    seen: broadcast::Receiver<JobEvent>,
    bridge: Option<Running>,
    verifier: Arc<Verifier>,
    reissue: Duration,
    upstreams: Vec<Upstream>,
}

/// A job in the hands of a worker.
struct Held {
    delivery: broker::Delivery,
    _jobs: Box<dyn broker::JobConsumer>,
}

impl std::ops::Deref for Held {
    type Target = JobEnvelope;

    fn deref(&self) -> &JobEnvelope {
        &self.delivery.job
    }
}

struct Running {
    handle: BridgeHandle,
    stop: CancellationToken,
    task: JoinHandle<Result<(), CoreTaskEnded>>,
}

impl World {
    async fn start() -> Self {
        Self::start_with(LEASE).await
    }

    async fn start_with(lease: Duration) -> Self {
        let mut world = Self::without_bridge(lease);
        world.start_bridge();
        world
    }

    fn without_bridge(lease: Duration) -> Self {
        let falafel = Stub::start(lease);
        let events = Events::default();
        Self {
            upstreams: vec![Upstream::new("inner", falafel.url())],
            falafel,
            broker: broker::EmbeddedBroker::new(broker::EmbeddedBrokerConfig {
                delays: [Duration::from_millis(50); 3],
                ..Default::default()
            }),
            ledger: ledger::EmbeddedLedger::default(),
            seen: events.subscribe(),
            events,
            bridge: None,
            verifier: Arc::default(),
            reissue: lease + lease,
        }
    }

    fn config(&self) -> BridgeConfig {
        let mut config = BridgeConfig::new(self.upstreams.clone(), Sizes::new(1, 1).unwrap());
        config.inline_bytes = 8 << 10;
        config.leases = LeaseConfig {
            every: Duration::from_millis(200),
            timeout: Duration::from_millis(180),
            in_flight: 256,
        };
        config.timing = Timing {
            longest_pause: Duration::from_millis(100),
            reconcile_every: Duration::from_millis(200),
            reissue: self.reissue,
            ghost: Duration::ZERO,
            recheck_every: Duration::from_millis(200),
            ..Timing::default()
        };
        config
    }

    /// What a bridge works with that has a way of its own to the ledger.
    fn deps(&self, ledger: Arc<dyn Ledger>) -> BridgeDeps {
        BridgeDeps {
            broker: Arc::new(self.broker.clone()),
            ledger,
            verifier: self.verifier.clone(),
            events: self.events.clone(),
            client_vks: None,
        }
    }

    fn start_bridge(&mut self) {
        self.start_bridge_with(self.deps(Arc::new(self.ledger.clone())));
    }

    fn start_bridge_with(&mut self, deps: BridgeDeps) {
        let bridge = Bridge::new(self.config(), deps).unwrap();
        let (handle, stop) = (bridge.handle(), CancellationToken::new());
        let task = tokio::spawn(bridge.run(stop.clone()));
        self.bridge = Some(Running { handle, stop, task });
    }

    /// Ends the bridge; what it held stays in ledger and broker.
    async fn stop_bridge(&mut self) {
        let running = self.bridge.take().unwrap();
        running.stop.cancel();
        running.task.await.unwrap().unwrap();
    }

    fn handle(&self) -> &BridgeHandle {
        &self.bridge.as_ref().unwrap().handle
    }

    fn stats(&self) -> BridgeStats {
        self.handle().stats()
    }

    /// A worker that answers every job with `reply`.
    fn worker(&self, reply: impl Fn(&JobEnvelope) -> Bytes + Send + 'static) -> JoinHandle<()> {
        let broker = self.broker.clone();
        tokio::spawn(async move {
            let mut jobs = broker.subscribe(&Topic::ALL, "w").await.unwrap();
            while let Ok(mut delivery) = jobs.claim().await {
                let result = result_for(&delivery.job, reply(&delivery.job));
                broker.publish_result(&result).await.unwrap();
                delivery.settle(&Settlement::Ack).await.unwrap();
            }
        })
    }

    /// The next job of a topic, in the hands of a worker that takes its time.
    async fn claim_one(&self, topic: Topic) -> Held {
        let mut jobs = self.broker.subscribe(&[topic], "w").await.unwrap();
        let claimed = tokio::time::timeout(Duration::from_secs(20), jobs.claim()).await;
        Held {
            delivery: claimed.expect("a job is published").unwrap(),
            _jobs: jobs,
        }
    }

    /// The worker proves the job that it holds.
    async fn prove(&self, mut held: Held) {
        let result = result_for(&held, proof(&held));
        self.broker.publish_result(&result).await.unwrap();
        held.delivery.settle(&Settlement::Ack).await.unwrap();
    }

    async fn state(&self, job: JobId) -> Option<JobState> {
        self.ledger.job(job).await.unwrap().map(|job| job.state)
    }

    async fn until_state(&self, job: JobId, state: JobState) {
        let reached = || async move { self.state(job).await == Some(state) };
        eventually(&format!("{} is {state}", job.short()), reached).await;
    }

    async fn until_answered(&self, ticket: zkwhirl_job::TicketId) -> Bytes {
        let answered = || async { self.falafel.answer(ticket).is_some() };
        eventually("an answer", answered).await;
        self.falafel.answer(ticket).unwrap().data
    }

    async fn until_taken(&self, tickets: u64) {
        let taken = || async { self.stats().tickets >= tickets };
        eventually("tickets are taken", taken).await;
    }

    /// A loss is noticed by the poll that it breaks: the bridges' next polls must
    /// be there before Falafel goes.
    async fn until_polled(&self, times: usize) {
        let polled = || async { self.falafel.seen().polls >= times };
        eventually(&format!("{times} polls"), polled).await;
    }

    /// What happened so far, by name.
    fn happened(&mut self) -> Vec<(JobId, JobEventKind)> {
        let mut all = Vec::new();
        while let Ok(event) = self.seen.try_recv() {
            all.push((event.job, event.what));
        }
        all
    }
}

fn result_for(job: &JobEnvelope, reply: Bytes) -> ResultEnvelope {
    ResultEnvelope {
        id: job.id,
        kind: job.kind,
        attempt: job.attempt,
        worker: "w".into(),
        prove_ms: 1,
        outcome: Outcome::Proved(reply),
        trace: None,
    }
}

fn proof(job: &JobEnvelope) -> Bytes {
    Bytes::from(format!("proof of {}", job.id))
}
