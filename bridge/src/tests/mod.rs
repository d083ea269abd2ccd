//! The bridge between a small Falafel and the embedded back-ends.
//!
//! Tests with sockets run on the real clock, the others on a paused one; periods
//! are a fifth of production's.

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
use tokio::{
    sync::broadcast,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{
    Command, Frame, JobId, Kind, Sizes, TicketId, Topic,
    envelope::{JobEnvelope, Payload},
    reply::NotVerified,
};

use super::*;
use crate::falafel::{LeaseConfig, Upstream};
use zkwhirl_broker_adapter as broker;
use zkwhirl_broker_adapter::{Broker, Settlement};
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::{
    JobState, Ledger,
    events::{Events, JobEvent},
};
use zkwhirl_testkit::{eventually, result_of, stub::Stub, vector};

/// Longer than any stall of a loaded machine that runs the tests.
const LEASE: Duration = Duration::from_secs(4);

/// A proof request that no prover should see.
const NONSENSE: &[u8] = &[0, 0, 0, 9];

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
    let mut request = BytesMut::from(&vector("claim_0")[..]);
    request[68..72].copy_from_slice(&n.to_be_bytes());
    request.freeze()
}

fn claim_id(n: u32) -> JobId {
    JobId::of(Command::CreateProof, &claim(n))
}

fn nonsense_id() -> JobId {
    JobId::of(Command::CreateProof, NONSENSE)
}

/// The frame of a claim.
fn claim_frame(ticket: TicketId, n: u32) -> Frame {
    Frame {
        ticket,
        command: Command::CreateProof.code(),
        data: claim(n),
    }
}

fn proof(job: &JobEnvelope) -> Bytes {
    Bytes::from(format!("proof of {}", job.id))
}

/// The proof of a claim.
fn proof_of(n: u32) -> Bytes {
    Bytes::from(format!("proof of {}", claim_id(n)))
}

pub(crate) struct World {
    falafel: Stub,
    pub(crate) broker: broker::EmbeddedBroker,
    ledger: ledger::EmbeddedLedger,
    events: Events,
    seen: broadcast::Receiver<JobEvent>,
    bridge: Option<RunningBridge>,
    verifier: Arc<Verifier>,
    timing: Timing,
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

impl std::ops::Deref for World {
    type Target = RunningBridge;

    fn deref(&self) -> &RunningBridge {
        self.bridge.as_ref().unwrap()
    }
}

pub(crate) struct RunningBridge {
    pub(crate) handle: BridgeHandle,
    stop: CancellationToken,
    task: JoinHandle<Result<(), CoreTaskEnded>>,
}

impl RunningBridge {
    fn start(config: BridgeConfig, deps: BridgeDeps) -> Self {
        let bridge = Bridge::new(config, deps).unwrap();
        let (handle, stop) = (bridge.handle(), CancellationToken::new());
        let task = tokio::spawn(bridge.run(stop.clone()));
        Self { handle, stop, task }
    }

    /// Ends it in good order.
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    pub(crate) fn stats(&self) -> BridgeStats {
        self.handle.stats()
    }

    #[track_caller]
    pub(crate) fn until(
        &self,
        what: &str,
        holds: impl Fn(&BridgeStats) -> bool,
    ) -> impl Future<Output = ()> {
        eventually(what, async move || holds(&self.stats()))
    }

    /// The lease thread takes its orders when it is given a core.
    async fn until_open(&self, tickets: usize) {
        let what = format!("{tickets} tickets are pinged");
        let open = |stats: &BridgeStats| stats.open_tickets == tickets;
        self.until(&what, open).await;
    }
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

    /// A bridge without upstreams and sockets: its clock may be a paused one.
    pub(crate) fn for_callers() -> Self {
        let mut world = Self::without_bridge(LEASE);
        world.upstreams.clear();
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
            timing: Timing {
                longest_pause: Duration::from_millis(100),
                reconcile_every: Duration::from_millis(200),
                sample_every: Duration::from_millis(200),
                reissue: lease + lease,
                ghost: Duration::ZERO,
                recheck_every: Duration::from_millis(200),
                ..Timing::default()
            },
        }
    }

    fn config(&self) -> BridgeConfig {
        BridgeConfig {
            inline_bytes: 8 << 10,
            leases: LeaseConfig {
                every: Duration::from_millis(200),
                timeout: Duration::from_millis(180),
                in_flight: 256,
            },
            timing: self.timing.clone(),
            ..BridgeConfig::new(self.upstreams.clone(), Sizes::new(1, 1).unwrap())
        }
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
        self.bridge = Some(RunningBridge::start(self.config(), deps));
    }

    /// Ends the bridge; what it held stays in ledger and broker.
    async fn stop_bridge(&mut self) {
        self.bridge.take().unwrap().stop().await;
    }

    /// A caller that asks for the proof of a request.
    fn ask(&self, request: impl Into<Bytes>) -> JoinHandle<Result<Bytes, AskError>> {
        let (handle, request) = (self.handle.clone(), request.into());
        tokio::spawn(async move { handle.ask(Command::CreateProof, request).await })
    }

    /// A worker that answers every job with `reply`.
    pub(crate) fn worker(
        &self,
        reply: impl Fn(&JobEnvelope) -> Bytes + Send + 'static,
    ) -> JoinHandle<()> {
        let broker = self.broker.clone();
        tokio::spawn(async move {
            let mut jobs = broker.subscribe(&Topic::ALL, "w").await.unwrap();
            while let Ok(mut delivery) = jobs.claim().await {
                let result = result_of(&delivery.job, reply(&delivery.job));
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

    /// A worker has this reply to a job.
    async fn reply(&self, job: &JobEnvelope, reply: Bytes) {
        let result = result_of(job, reply);
        self.broker.publish_result(&result).await.unwrap();
    }

    /// The worker proves the job that it holds.
    async fn prove(&self, held: Held) {
        let reply = proof(&held);
        self.prove_as(held, reply).await;
    }

    async fn prove_as(&self, mut held: Held, reply: Bytes) {
        self.reply(&held, reply).await;
        held.delivery.settle(&Settlement::Ack).await.unwrap();
    }

    /// The jobs of a topic that the broker has: ready, in flight.
    async fn depth(&self, topic: Topic) -> (usize, usize) {
        let depth = self.broker.depth(topic).await.unwrap();
        (depth.ready, depth.in_flight)
    }

    async fn letter(&self, job: JobId) -> Option<broker::DeadLetter> {
        self.broker.dead_letter(job).await.unwrap()
    }

    async fn state(&self, job: JobId) -> Option<JobState> {
        self.ledger.job(job).await.unwrap().map(|job| job.state)
    }

    async fn until_state(&self, job: JobId, state: JobState) {
        let reached = || async move { self.state(job).await == Some(state) };
        eventually(&format!("{} is {state}", job.short()), reached).await;
    }

    async fn until_answered(&self, ticket: TicketId) -> Bytes {
        let answered = || async { self.falafel.answer(ticket).is_some() };
        eventually("an answer", answered).await;
        self.falafel.answer(ticket).unwrap().data
    }

    async fn until_all_answered(&self, tickets: &[TicketId]) {
        for ticket in tickets {
            self.until_answered(*ticket).await;
        }
        self.falafel.assert_no_nack();
    }

    /// A worker proves every job from now on, these tickets' among them.
    async fn until_all_proved(&self, tickets: &[TicketId]) {
        self.worker(proof);
        self.until_all_answered(tickets).await;
    }

    async fn until_taken(&self, tickets: u64) {
        let taken = |stats: &BridgeStats| stats.tickets >= tickets;
        self.until("tickets are taken", taken).await;
    }

    /// Every ticket has been pinged after `since`.
    async fn until_pinged_since(&self, tickets: &[TicketId], since: Instant) {
        let pinged = || async {
            let seen = self.falafel.seen();
            tickets.iter().all(|ticket| {
                let ping = seen.pings.get(ticket);
                ping.is_some_and(|(at, _)| *at > since)
            })
        };
        eventually("all are pinged", pinged).await;
    }

    /// A loss is noticed by the poll that it breaks: the bridges' next polls must
    /// be there before Falafel goes.
    async fn until_polled(&self, times: usize) {
        let polled = || async { self.falafel.seen().polls >= times };
        eventually(&format!("{times} polls"), polled).await;
    }

    #[track_caller]
    fn assert_issued(&self, tickets: &[TicketId], times: usize) {
        for ticket in tickets {
            assert_eq!(self.falafel.issued(*ticket), times);
        }
    }

    /// What happened so far, by name.
    fn happened(&mut self) -> Vec<(JobId, &'static str)> {
        let mut all = Vec::new();
        while let Ok(event) = self.seen.try_recv() {
            all.push((event.job, event.what.name()));
        }
        all
    }
}
