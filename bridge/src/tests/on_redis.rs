//! Bridges on this ledger while Redis hangs, forgets, or is shared.

use std::time::Duration;

use bytes::BytesMut;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{
    Kind, Sizes, TicketId, Topic,
    envelope::{Outcome, ResultEnvelope},
};

use super::*;
use crate::{Bridge, BridgeConfig, BridgeDeps, BridgeHandle, ReplyVerifier, Timing, falafel::{LeaseConfig, Upstream}};
use zkwhirl_ledger::Events;
use zkwhirl_broker_adapter as broker;
use zkwhirl_broker_adapter::{Broker, Settlement};
use zkwhirl_testkit::{stub::Stub, eventually};

/// Every reply is good.
struct Trusting;

impl ReplyVerifier for Trusting {
    fn verify(&self, _kind: Kind, _request: &Bytes, _reply: &Bytes) -> Result<(), String> {
        Ok(())
    }
}

fn claim(n: u32) -> Bytes {
    let vector = &include_bytes!("../../../tests/vectors/claim_0.bin")[..];
    let mut request = BytesMut::from(vector);
    request[68..72].copy_from_slice(&n.to_be_bytes());
    request.freeze()
}

/// A running bridge with its own connection to the ledger.
struct Running {
    handle: BridgeHandle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(falafel: &Stub, broker: &broker::EmbeddedBrokerBroker, config: RedisConfig) -> Self {
        let upstreams = vec![Upstream::new("inner", falafel.url())];
        let mut bridge = BridgeConfig::new(upstreams, Sizes::new(1, 1).unwrap());
        bridge.leases = LeaseConfig {
            every: Duration::from_millis(200),
            timeout: Duration::from_millis(180),
            in_flight: 256,
        };
        bridge.timing = Timing {
            longest_pause: Duration::from_millis(100),
            reconcile_every: Duration::from_millis(200),
            reissue: Duration::from_secs(8),
            ghost: Duration::ZERO,
            ..Timing::default()
        };
        let deps = BridgeDeps {
            broker: Arc::new(broker.clone()),
            ledger: Arc::new(Redis::new(config).unwrap()),
            verifier: Arc::new(Trusting),
            events: Events::default(),
            client_vks: None,
        };
        let bridge = Bridge::new(bridge, deps).unwrap();
        let (handle, stop) = (bridge.handle(), CancellationToken::new());
        let task = tokio::spawn(bridge.run(stop.clone()));
        Self { handle, stop, task }
    }

    async fn until_taken(&self, tickets: u64) {
        let taken = || async { self.handle.stats().tickets >= tickets };
        eventually("tickets are taken", taken).await;
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// A worker that proves all it gets.
fn worker(broker: &broker::EmbeddedBroker) -> JoinHandle<()> {
    let broker = broker.clone();
    tokio::spawn(async move {
        let mut jobs = broker.subscribe(&Topic::ALL, "w").await.unwrap();
        while let Ok(mut delivery) = jobs.claim().await {
            let job = &delivery.job;
            let result = ResultEnvelope {
                id: job.id,
                kind: job.kind,
                attempt: job.attempt,
                worker: "w".into(),
                prove_ms: 1,
                outcome: Outcome::Proved(Bytes::from(format!("proof of {}", job.id))),
                trace: None,
            };
            broker.publish_result(&result).await.unwrap();
            delivery.settle(&Settlement::Ack).await.unwrap();
        }
    })
}

async fn until_answered(falafel: &Stub, tickets: &[TicketId]) {
    eventually("all are answered", || async {
        tickets
            .iter()
            .all(|ticket| falafel.answer(*ticket).is_some())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_hangs_longer_than_a_lease_costs_no_ticket() {
    const LEASE: Duration = Duration::from_secs(4);
    let (server, falafel) = (RedisServer::start(), Stub::start(LEASE));
    let broker = broker::EmbeddedBroker::default();
    let mut config = watchful(server.address());
    config.timeout = Duration::from_secs(1);
    let bridge = Running::start(&falafel, &broker, config);
    let mut tickets = vec![falafel.ask_proof(claim(1)), falafel.ask_proof(claim(2))];
    bridge.until_taken(2).await;
    server.pause();
    let paused = Instant::now();
    let _worker = worker(&broker);
    // This one is pinged before the ledger knows it.
    tickets.push(falafel.ask_proof(claim(3)));
    eventually("all are pinged after a lease's time and more", || async {
        let seen = falafel.seen();
        tickets.iter().all(|ticket| {
            let ping = seen.pings.get(ticket);
            ping.is_some_and(|(at, _)| *at > paused + LEASE + Duration::from_secs(1))
        })
    })
    .await;
    assert!(tickets.iter().all(|ticket| falafel.issued(*ticket) == 1));
    assert!(
        tickets
            .iter()
            .all(|ticket| falafel.answer(*ticket).is_none())
    );
    server.resume();
    until_answered(&falafel, &tickets).await;
    assert!(tickets.iter().all(|ticket| falafel.issued(*ticket) == 1));
    falafel.assert_no_nack();
    bridge.stop().await;
}

#[tokio::test]
async fn a_flushed_redis_costs_work_and_no_ticket() {
    let (server, falafel) = (RedisServer::start(), Stub::start(Duration::from_secs(2)));
    let broker = broker::EmbeddedBroker::default();
    let bridge = Running::start(&falafel, &broker, watchful(server.address()));
    let tickets: Vec<_> = (0..20).map(|n| falafel.ask_proof(claim(n))).collect();
    bridge.until_taken(20).await;
    server.command::<()>(&["FLUSHALL"]);
    let _worker = worker(&broker);
    until_answered(&falafel, &tickets).await;
    falafel.assert_no_nack();
    eventually("nothing is open", || async {
        bridge.handle.stats().open_tickets == 0
    })
    .await;
    bridge.stop().await;
}

#[tokio::test]
async fn two_bridges_share_a_ledger_and_one_finishes_what_the_other_left() {
    let (server, falafel) = (RedisServer::start(), Stub::start(Duration::from_secs(2)));
    let broker = broker::EmbeddedBroker::default();
    let config = watchful(server.address());
    let bridges = [0, 1].map(|_| Running::start(&falafel, &broker, config.clone()));
    let tickets: Vec<_> = (0..30).map(|n| falafel.ask_proof(claim(n))).collect();
    eventually("tickets are taken", || async {
        let taken = bridges.iter().map(|bridge| bridge.handle.stats().tickets);
        taken.sum::<u64>() == 30
    })
    .await;
    let [first, second] = bridges;
    first.stop().await;
    let _worker = worker(&broker);
    until_answered(&falafel, &tickets).await;
    let ledger = Redis::new(config).unwrap();
    eventually("nothing is open", || async {
        ledger.open_tickets().await.unwrap().is_empty()
    })
    .await;
    falafel.assert_no_nack();
    second.stop().await;
}
