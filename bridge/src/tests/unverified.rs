//! Replies that cannot be checked now.

use std::sync::atomic::AtomicUsize;

use super::{fleet::Peer, *};

/// A reply that needs the key.
fn keyed(job: &JobEnvelope) -> Bytes {
    Bytes::from(format!("keyed proof of {}", job.id))
}

impl World {
    fn set_key_away(&self, away: bool) {
        self.verifier.key_away.store(away, Ordering::Relaxed);
    }

    async fn until_unverified(&self, jobs: usize) {
        eventually(&format!("{jobs} replies are kept"), || async {
            self.ledger.unverified_jobs().await.unwrap().len() == jobs
        })
        .await;
    }

    async fn assert_no_attempt(&self, job: JobId) {
        assert_eq!(self.ledger.attempts(job).await.unwrap(), []);
        assert_eq!(self.broker.dead_letter(job).await.unwrap(), None);
        let record = self.ledger.job(job).await.unwrap().unwrap();
        assert_eq!(record.attempt, 1);
    }
}

/// One more than a consumer of results holds unacknowledged.
#[tokio::test]
async fn sixty_five_replies_that_cannot_be_checked_do_not_delay_a_good_one() {
    const MANY: u32 = broker::RESULT_PREFETCH as u32 + 1;
    let world = World::start().await;
    world.set_key_away(true);
    let proofs = Arc::new(AtomicUsize::new(0));
    let count = proofs.clone();
    let _worker = world.worker(move |job| {
        count.fetch_add(1, Ordering::Relaxed);
        match job.id == claim_id(MANY) {
            true => proof(job),
            false => keyed(job),
        }
    });
    let tickets: Vec<_> = (0..MANY)
        .map(|n| world.falafel.ask_proof(claim(n)))
        .collect();
    world.until_unverified(MANY as usize).await;
    let good = world.falafel.ask_proof(claim(MANY));
    world.until_answered(good).await;
    // Comparisons of ledger and broker leave them alone.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (n, ticket) in tickets.iter().enumerate() {
        assert_eq!(world.falafel.answer(*ticket), None);
        world.assert_no_attempt(claim_id(n as u32)).await;
    }
    world.set_key_away(false);
    for (n, ticket) in tickets.iter().enumerate() {
        let reply = format!("keyed proof of {}", claim_id(n as u32));
        assert_eq!(world.until_answered(*ticket).await, reply);
    }
    world.until_unverified(0).await;
    let stats = world.stats();
    assert_eq!((stats.unverified, stats.republished), (0, 0));
    let proofs = proofs.load(Ordering::Relaxed);
    assert_eq!(proofs, MANY as usize + 1, "each was proved once");
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_reply_that_turns_out_wrong_is_a_failed_attempt() {
    let world = World::start().await;
    world.set_key_away(true);
    let ticket = world.falafel.ask_proof(claim(1));
    let _worker = world.worker(|job| match job.attempt {
        1 => Bytes::from_static(b"keyed forgery"),
        _ => proof(job),
    });
    world.until_unverified(1).await;
    world.assert_no_attempt(claim_id(1)).await;
    world.set_key_away(false);
    world.until_answered(ticket).await;
    assert_eq!(world.stats().unverified, 1);
    let attempts = world.ledger.attempts(claim_id(1)).await.unwrap();
    assert_eq!(attempts.len(), 1);
}

#[tokio::test]
async fn a_bridge_that_is_killed_leaves_the_reply_to_the_next() {
    let world = World::without_bridge(LEASE);
    world.set_key_away(true);
    let first = Peer::start(&world, "a");
    let ticket = first.takes(&world, 1..2).await[0];
    let mut held = world.claim_one(Topic::Inner).await;
    let result = result_for(&held, keyed(&held));
    world.broker.publish_result(&result).await.unwrap();
    held.delivery.settle(&Settlement::Ack).await.unwrap();
    world.until_unverified(1).await;
    first.kill();
    let second = Peer::start(&world, "a");
    eventually("it is a member", || async { second.stats().member }).await;
    world.set_key_away(false);
    let reply = format!("keyed proof of {}", claim_id(1));
    assert_eq!(world.until_answered(ticket).await, reply);
    world.assert_no_attempt(claim_id(1)).await;
    assert_eq!(world.falafel.issued(ticket), 1);
}

#[tokio::test]
async fn a_stored_result_that_cannot_be_checked_waits_for_the_key() {
    let world = World::start().await;
    let worker = world.worker(keyed);
    let first = world.falafel.ask_proof(claim(1));
    world.until_answered(first).await;
    world.until_state(claim_id(1), JobState::Delivered).await;
    worker.abort();
    world.set_key_away(true);
    let second = world.falafel.ask_proof(claim(1));
    world.until_unverified(1).await;
    world.set_key_away(false);
    world.until_answered(second).await;
    world.until_unverified(0).await;
}

/// Without sockets, so that the paused clock may run ahead.
#[tokio::test(start_paused = true)]
async fn a_reply_unverified_for_ten_minutes_is_proved_again_as_the_same_attempt() {
    let (broker, ledger) = (
        broker::EmbeddedBroker::default(),
        ledger::EmbeddedLedger::default(),
    );
    let verifier = Arc::new(Verifier::default());
    verifier.key_away.store(true, Ordering::Relaxed);
    let deps = BridgeDeps {
        broker: Arc::new(broker.clone()),
        ledger: Arc::new(ledger.clone()),
        verifier: verifier.clone(),
        events: Events::default(),
        client_vks: None,
    };
    let config = BridgeConfig::new(Vec::new(), Sizes::new(1, 1).unwrap());
    let bridge = Bridge::new(config, deps).unwrap();
    let (handle, stop) = (bridge.handle(), CancellationToken::new());
    let bridge = tokio::spawn(bridge.run(stop.clone()));
    let caller = tokio::spawn(async move { handle.ask(Command::CreateProof, claim(1)).await });
    let mut jobs = broker.subscribe(&[Topic::Inner], "w").await.unwrap();
    let began = tokio::time::Instant::now();
    for round in 0..2 {
        let mut delivery = jobs.claim().await.unwrap();
        assert_eq!(delivery.job.attempt, 1);
        assert_eq!(delivery.job.history, []);
        let minutes = began.elapsed().as_secs() / 60;
        assert_eq!(minutes, round * 10, "published after {minutes} minutes");
        let result = result_for(&delivery.job, keyed(&delivery.job));
        broker.publish_result(&result).await.unwrap();
        delivery.settle(&Settlement::Ack).await.unwrap();
    }
    verifier.key_away.store(false, Ordering::Relaxed);
    let reply = format!("keyed proof of {}", claim_id(1));
    assert_eq!(caller.await.unwrap().unwrap(), reply);
    assert_eq!(ledger.unverified_jobs().await.unwrap(), []);
    stop.cancel();
    bridge.await.unwrap().unwrap();
}
