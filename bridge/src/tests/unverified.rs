//! Replies that cannot be checked now.

use std::sync::atomic::AtomicUsize;

use zkwhirl_telemetry::{Recorded, catalogue::bridge::JOBS_UNVERIFIED};

use super::{fleet::Peer, *};

/// A reply that needs the key.
fn keyed(job: &JobEnvelope) -> Bytes {
    Bytes::from(format!("keyed proof of {}", job.id))
}

fn keyed_of(n: u32) -> Bytes {
    Bytes::from(format!("keyed proof of {}", claim_id(n)))
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
        assert_eq!(self.letter(job).await, None);
        let record = self.ledger.job(job).await.unwrap().unwrap();
        assert_eq!(record.attempt, 1);
    }
}

/// One more than a consumer of results holds unacknowledged.
#[tokio::test(start_paused = true)]
async fn sixty_five_replies_that_cannot_be_checked_do_not_delay_a_good_one() {
    const MANY: u32 = broker::RESULT_PREFETCH as u32 + 1;
    let world = World::for_callers();
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
    let callers: Vec<_> = (0..MANY).map(|n| world.ask(claim(n))).collect();
    world.until_unverified(MANY as usize).await;
    let good = world.ask(claim(MANY)).await.unwrap();
    assert_eq!(good, Ok(proof_of(MANY)));
    // Comparisons of ledger and broker leave them alone.
    sleep(3 * world.timing.reconcile_every).await;
    for (n, caller) in (0..).zip(&callers) {
        assert!(!caller.is_finished());
        world.assert_no_attempt(claim_id(n)).await;
    }
    world.set_key_away(false);
    for (n, caller) in (0..).zip(callers) {
        assert_eq!(caller.await.unwrap(), Ok(keyed_of(n)));
    }
    world.until_unverified(0).await;
    let stats = world.stats();
    assert_eq!((stats.unverified, stats.republished), (0, 0));
    let proofs = proofs.load(Ordering::Relaxed);
    assert_eq!(proofs, MANY as usize + 1, "each was proved once");
}

#[tokio::test(start_paused = true)]
async fn replies_that_wait_to_be_verified_are_counted() {
    let recorded = Recorded::default();
    let _recording = recorded.record();
    let world = World::for_callers();
    let waiting = |jobs: usize| {
        let recorded = &recorded;
        async move || recorded.gauge(&JOBS_UNVERIFIED, []) == jobs as f64
    };
    world.set_key_away(true);
    let callers = [1, 2].map(|n| world.ask(claim(n)));
    let _worker = world.worker(keyed);
    eventually("both wait", waiting(2)).await;
    world.set_key_away(false);
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    eventually("none waits", waiting(0)).await;
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
    let held = world.claim_one(Topic::Inner).await;
    world.prove_as(held, keyed_of(1)).await;
    world.until_unverified(1).await;
    first.kill();
    let second = Peer::start(&world, "a");
    second.until_member().await;
    world.set_key_away(false);
    assert_eq!(world.until_answered(ticket).await, keyed_of(1));
    world.assert_no_attempt(claim_id(1)).await;
    world.assert_issued(&[ticket], 1);
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

#[tokio::test(start_paused = true)]
async fn a_reply_unverified_for_ten_minutes_is_proved_again_as_the_same_attempt() {
    let mut world = World::for_callers();
    world.set_key_away(true);
    let caller = world.ask(claim(1));
    let mut jobs = world.broker.subscribe(&[Topic::Inner], "w").await.unwrap();
    let began = Instant::now();
    for round in 0..2 {
        let mut delivery = jobs.claim().await.unwrap();
        assert_eq!(delivery.job.attempt, 1);
        assert_eq!(delivery.job.history, []);
        let minutes = began.elapsed().as_secs() / 60;
        assert_eq!(minutes, round * 10, "published after {minutes} minutes");
        world.reply(&delivery.job, keyed(&delivery.job)).await;
        delivery.settle(&Settlement::Ack).await.unwrap();
    }
    world.set_key_away(false);
    assert_eq!(caller.await.unwrap(), Ok(keyed_of(1)));
    world.until_unverified(0).await;
    world.stop_bridge().await;
}
