//! Tests of the behaviour that every broker must have.
//!
//! `broker_conformance!(make, tokio::test)` makes one test per behaviour; `make`
//! is an async function that returns a [`Fixture`] with an empty broker. A
//! back-end whose delays follow tokio's clock uses
//! `tokio::test(start_paused = true)`.

mod releases;

use std::{any::Any, fmt::Debug, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout};
use zkwhirl_job::{
    Failure, Kind, Topic,
    envelope::{JobEnvelope, Outcome},
};

use super::{
    Broker, Control, DELIVERY_LIMIT, DeadLetter, Delivery, Depth, JobConsumer, RESULT_PREFETCH,
    ResultConsumer, Rung, Settlement,
};
use zkwhirl_testkit::{claim_job, failed_by, job_of, result_of, within};

pub use releases::*;

/// Publishes a body unchanged to the inner jobs, with the time at which a process
/// first could not read the body.
pub type PutBody =
    Box<dyn Fn(Bytes, Option<u64>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// An empty broker to test.
#[expect(
    missing_debug_implementations,
    reason = "a closure has no text, and a fixture is not shown"
)]
pub struct Fixture {
    /// The broker under test.
    pub broker: Arc<dyn Broker>,
    /// Publishes a body that another release might write.
    pub put: PutBody,
    /// The delays of the broker's rungs.
    pub delays: [Duration; 3],
    /// How long a consumer must receive nothing before the test treats it as idle.
    pub settle: Duration,
    /// How long the broker's counts may lag, also after a dropped delivery. Zero: the
    /// back-end counts exactly and reports the age of its oldest job.
    pub lag: Duration,
    /// A value to drop after the test, such as a guard of the broker's data.
    pub guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Fixture {
    async fn join(&self, worker: &str) -> Box<dyn JobConsumer> {
        let joined = self.broker.subscribe(&[Topic::Inner], worker).await;
        joined.expect("a worker can join")
    }

    async fn publish(&self, job: &JobEnvelope) {
        self.publish_after(job, None).await;
    }

    async fn publish_after(&self, job: &JobEnvelope, rung: Option<Rung>) {
        let published = self.broker.publish(job, rung).await;
        published.expect("a job can be published");
    }

    /// Repeats a call until the answer is as expected, for as long as counts lag.
    async fn soon<T: PartialEq + Debug, F: Future<Output = T>>(
        &self,
        expected: T,
        mut ask: impl FnMut() -> F,
    ) {
        let start = Instant::now();
        loop {
            let got = ask().await;
            if got == expected {
                return;
            }
            assert!(start.elapsed() < self.lag, "{got:?} is not {expected:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn depth(&self, topic: Topic) -> Depth {
        self.broker.depth(topic).await.expect("the broker answers")
    }

    /// Waits until this many inner jobs are ready: a broker in another process needs a
    /// moment to count the job of a dropped [`Delivery`] as ready.
    async fn ready(&self, jobs: usize) {
        let ready = || async { self.depth(Topic::Inner).await.ready };
        self.soon(jobs, ready).await;
    }

    async fn finds_nothing(&self, consumer: &mut Box<dyn JobConsumer>) -> bool {
        timeout(self.settle, consumer.claim()).await.is_err()
    }
}

async fn claim(consumer: &mut Box<dyn JobConsumer>) -> Delivery {
    let claimed = within("a job to claim", consumer.claim()).await;
    claimed.expect("the broker answers")
}

async fn settle(delivery: &mut Delivery, how: Settlement) -> bool {
    delivery.settle(&how).await.expect("the broker answers")
}

/// Claims a job, checks that it is `job`, and acks it.
async fn done(consumer: &mut Box<dyn JobConsumer>, job: &JobEnvelope) {
    let mut delivery = claim(consumer).await;
    assert_eq!(delivery.job, *job);
    assert_eq!(delivery.delivery_count, 0, "a retry is no crash");
    assert!(settle(&mut delivery, Settlement::Ack).await);
}

fn letter(job: &JobEnvelope) -> DeadLetter {
    DeadLetter::of(job, "for the test", 7)
}

/// Jobs are claimed in the order of their publishing.
pub async fn first_come_first_served(f: Fixture) {
    for n in 0..20 {
        f.publish(&claim_job(n)).await;
    }
    let mut worker = f.join("a").await;
    for n in 0..20 {
        let mut delivery = claim(&mut worker).await;
        assert_eq!(delivery.job, claim_job(n));
        assert_eq!((delivery.delivery_count, delivery.redelivered), (0, false));
        assert!(settle(&mut delivery, Settlement::Ack).await);
    }
    assert!(f.finds_nothing(&mut worker).await);
}

/// A publish wakes a waiting claim; a dropped claim takes no job.
pub async fn a_claim_waits_and_can_be_given_up(f: Fixture) {
    let mut worker = f.join("a").await;
    assert!(f.finds_nothing(&mut worker).await);
    let waiting = tokio::spawn(async move { claim(&mut worker).await.job });
    tokio::task::yield_now().await;
    f.publish(&claim_job(1)).await;
    assert_eq!(waiting.await.expect("no panic"), claim_job(1));
}

/// A dropped delivery is redelivered at once, before other jobs, and is counted.
pub async fn a_dropped_delivery_comes_again_first(f: Fixture) {
    f.publish(&claim_job(1)).await;
    f.publish(&claim_job(2)).await;
    let (mut a, mut b) = (f.join("a").await, f.join("b").await);
    drop(claim(&mut a).await);
    drop(a);
    f.ready(2).await;
    let again = claim(&mut b).await;
    assert_eq!(again.job, claim_job(1));
    assert_eq!(again.delivery_count, 1);
    assert!(again.redelivered);
}

/// A lost consumer loses its delivery: another consumer gets the job, and the late
/// settlement returns false.
pub async fn a_lost_consumer_loses_its_lease(f: Fixture) {
    f.publish(&claim_job(1)).await;
    let (mut a, mut b) = (f.join("a").await, f.join("b").await);
    let mut late = claim(&mut a).await;
    drop(a);
    let mut second = claim(&mut b).await;
    assert_eq!(second.job.id, late.job.id);
    let settled = settle(&mut late, Settlement::Ack).await;
    assert!(!settled, "the lease is lost");
    drop(late);
    let settled = settle(&mut second, Settlement::Ack).await;
    assert!(settled, "and only that one");
    assert!(f.finds_nothing(&mut b).await);
}

/// A job that crashes every worker is a dead letter after the delivery limit, and
/// the jobs behind it are delivered.
pub async fn a_job_that_crashes_workers_is_buried(f: Fixture) {
    f.publish(&claim_job(1)).await;
    f.publish(&claim_job(2)).await;
    for crash in 0..=DELIVERY_LIMIT {
        let mut worker = f.join("a").await;
        let delivery = claim(&mut worker).await;
        assert_eq!(delivery.job, claim_job(1));
        assert_eq!(delivery.delivery_count, crash);
        drop((delivery, worker));
        f.ready(if crash < DELIVERY_LIMIT { 2 } else { 1 }).await;
    }
    let mut worker = f.join("a").await;
    assert_eq!(claim(&mut worker).await.job, claim_job(2));
    let dead = || async {
        let dead = f.broker.dead_letter(claim_job(1).id).await;
        let dead = dead.expect("the broker answers");
        dead.map(|dead| (dead.kind, dead.payload))
    };
    let expected = (Some(Kind::Claim), claim_job(1).payload);
    f.soon(Some(expected), dead).await;
}

/// A retried job is delivered unchanged after its rung's delay, and not before.
pub async fn a_retry_waits_on_its_rung(f: Fixture) {
    f.publish(&claim_job(1)).await;
    let mut worker = f.join("a").await;
    let mut delivery = claim(&mut worker).await;
    let again = failed_by(delivery.job.clone(), "b", Failure::prover("died"));
    let retry = Settlement::Retry {
        rung: Rung::Short,
        job: again.clone(),
    };
    let start = Instant::now();
    assert!(settle(&mut delivery, retry).await);
    done(&mut worker, &again).await;
    assert!(start.elapsed() >= f.delays[0], "{:?}", start.elapsed());
}

/// A job on a long rung does not hold back those on shorter rungs.
pub async fn rungs_do_not_wait_for_each_other(f: Fixture) {
    let rungs = [Rung::Long, Rung::Medium, Rung::Short];
    for (n, rung) in (1..).zip(rungs) {
        f.publish_after(&claim_job(n), Some(rung)).await;
    }
    let mut worker = f.join("a").await;
    for _ in 0..2 {
        let mut delivery = claim(&mut worker).await;
        // A slow machine publishes the third job after the second is due.
        assert!([2, 3].map(claim_job).contains(&delivery.job));
        assert!(settle(&mut delivery, Settlement::Ack).await);
    }
    assert_eq!(f.depth(Topic::Inner).await.rungs, [0, 0, 1]);
}

/// A requeued job is ready at once, behind the others, and no delivery is counted.
pub async fn a_hand_back_is_no_attempt(f: Fixture) {
    f.publish(&claim_job(1)).await;
    f.publish(&claim_job(2)).await;
    let mut worker = f.join("a").await;
    let mut delivery = claim(&mut worker).await;
    assert!(settle(&mut delivery, Settlement::HandBack).await);
    for n in [2, 1] {
        done(&mut worker, &claim_job(n)).await;
    }
}

/// Dead letters are listed, found, replaced and removed.
pub async fn dead_letters_are_kept(f: Fixture) {
    f.publish(&claim_job(1)).await;
    let mut worker = f.join("a").await;
    let mut delivery = claim(&mut worker).await;
    let first = letter(&claim_job(1));
    assert!(settle(&mut delivery, Settlement::Bury(first.clone())).await);
    let second = letter(&claim_job(2));
    // A job that is buried twice has one letter.
    for _ in 0..2 {
        f.broker.bury(&second).await.expect("there");
    }
    let all = f.broker.dead_letters(10).await.expect("there");
    assert_eq!(all, [first.clone(), second]);
    let one = f.broker.dead_letters(1).await.expect("there");
    assert_eq!(one, [first]);
    assert!(f.broker.remove_dead(claim_job(1).id).await.expect("there"));
    assert!(!f.broker.remove_dead(claim_job(1).id).await.expect("there"));
    let gone = f.broker.dead_letter(claim_job(1).id).await.expect("there");
    assert_eq!(gone, None);
    assert!(f.finds_nothing(&mut worker).await);
}

/// A replayed job starts at attempt 1 with its history, and its letter is gone.
pub async fn a_dead_letter_is_replayed(f: Fixture) {
    let job = failed_by(claim_job(1), "a", Failure::prover("died"));
    f.broker.bury(&letter(&job)).await.expect("there");
    let unknown = DeadLetter {
        kind: None,
        ..letter(&claim_job(2))
    };
    f.broker.bury(&unknown).await.expect("there");
    let replay = async |id| f.broker.replay(id).await.expect("there");
    assert!(replay(job.id).await);
    assert!(!replay(job.id).await, "only once");
    assert!(!replay(unknown.id).await, "no kind");
    let mut worker = f.join("a").await;
    let delivery = claim(&mut worker).await;
    assert_eq!(delivery.job.attempt, 1);
    assert_eq!(delivery.job.history, job.history);
}

/// A failed job is kept for a worker that has not failed it; the other workers claim
/// the jobs behind it.
pub async fn a_retry_prefers_another_worker(f: Fixture) {
    let job = failed_by(claim_job(1), "a", Failure::invalid("no"));
    f.publish(&job).await;
    f.publish(&claim_job(2)).await;
    let (mut a, mut b) = (f.join("a").await, f.join("b").await);
    let other = claim(&mut a).await;
    assert_eq!(other.job, claim_job(2));
    assert_eq!(claim(&mut b).await.job, job);
}

/// A worker without others gets the job that it failed again.
pub async fn a_lone_worker_gets_its_retry(f: Fixture) {
    let job = failed_by(claim_job(1), "a", Failure::invalid("no"));
    f.publish(&job).await;
    let mut a = f.join("a").await;
    assert_eq!(claim(&mut a).await.job, job);
}

/// Topics are separate, and a consumer of both gets jobs of its first topic first.
pub async fn topics_are_apart(f: Fixture) {
    let outer = job_of(Kind::RootRollup, 1);
    f.publish(&claim_job(1)).await;
    f.publish(&outer).await;
    let topics = [Topic::Outer, Topic::Inner];
    let both = f.broker.subscribe(&topics, "both").await;
    let mut both = both.expect("a worker can join");
    done(&mut both, &outer).await;
    assert_eq!(claim(&mut both).await.job, claim_job(1));
    drop(both);
    let mut inner = f.join("inner").await;
    f.publish(&outer).await;
    let held = claim(&mut inner).await;
    assert_eq!(held.job, claim_job(1));
    assert!(f.finds_nothing(&mut inner).await);
}

/// Results are delivered in order, a bounded number at a time, and again if they
/// were not acknowledged.
pub async fn results_are_kept_until_acknowledged(f: Fixture) {
    for n in 0..=RESULT_PREFETCH as u32 {
        let result = result_of(&claim_job(n), b"reply");
        f.broker.publish_result(&result).await.expect("there");
    }
    let mut bridge = f.broker.results().await.expect("there");
    let mut held = Vec::new();
    for n in 0..RESULT_PREFETCH as u32 {
        let delivery = next(&mut bridge).await;
        assert_eq!(delivery.result.id, claim_job(n).id);
        assert!(matches!(delivery.result.outcome, Outcome::Proved(_)));
        held.push(delivery);
    }
    let more = timeout(f.settle, bridge.next()).await;
    assert!(more.is_err(), "no more than the prefetch");
    assert!(held[0].ack().await.expect("there"));
    let mut last = next(&mut bridge).await;
    assert_eq!(last.result.id, claim_job(RESULT_PREFETCH as u32).id);
    assert!(last.ack().await.expect("there"));
    drop(bridge);
    assert!(!held[1].ack().await.expect("there"), "its consumer is gone");
    let mut bridge = f.broker.results().await.expect("there");
    assert_eq!(next(&mut bridge).await.result.id, claim_job(1).id);
}

async fn next(consumer: &mut Box<dyn ResultConsumer>) -> super::ResultDelivery {
    let next = within("a result", consumer.next()).await;
    next.expect("the broker answers")
}

/// Depth counts ready, in-flight and delayed jobs and consumers separately.
pub async fn depth_counts_what_is_unfinished(f: Fixture) {
    for n in 0..3 {
        f.publish(&claim_job(n)).await;
    }
    f.publish_after(&claim_job(3), Some(Rung::Long)).await;
    let mut worker = f.join("a").await;
    let _held = claim(&mut worker).await;
    let in_flight = || async { f.depth(Topic::Inner).await.in_flight };
    f.soon(1, in_flight).await;
    let depth = f.depth(Topic::Inner).await;
    assert_eq!((depth.ready, depth.in_flight), (2, 1));
    assert_eq!((depth.rungs, depth.consumers), ([0, 0, 1], 1));
    assert_eq!(depth.unfinished(), 4);
    assert!(depth.oldest.is_some() || !f.lag.is_zero());
    assert_eq!(f.depth(Topic::Outer).await.unfinished(), 0);
}

/// No held job is reported missing; if all queues are empty, every job is missing.
pub async fn missing_is_never_wrong(f: Fixture) {
    let ids: Vec<_> = (0..4).map(|n| claim_job(n).id).collect();
    let missing = || async { f.broker.missing(Topic::Inner, &ids).await.expect("there") };
    f.soon(ids.clone(), missing).await;
    f.publish(&claim_job(0)).await;
    f.publish_after(&claim_job(1), Some(Rung::Long)).await;
    f.broker.bury(&letter(&claim_job(2))).await.expect("there");
    let mut worker = f.join("a").await;
    let mut held = claim(&mut worker).await;
    assert!(!missing().await.contains(&ids[0]), "it is in a delivery");
    let result = result_of(&claim_job(0), b"reply");
    f.broker.publish_result(&result).await.expect("there");
    assert!(settle(&mut held, Settlement::Ack).await);
    let missing = missing().await;
    for held in &ids[..3] {
        assert!(!missing.contains(held), "{held} is held");
    }
}

/// Control messages reach every listening process; without a listener sending is no error.
pub async fn control_messages_reach_all_listeners(f: Fixture) {
    let message = Control::Quiet {
        worker: "worker-1".into(),
        quiet: true,
    };
    f.broker.send_control(&message).await.expect("there");
    let mut listening = [f.broker.control_messages(), f.broker.control_messages()];
    for listener in &mut listening {
        listener.joined().await.expect("there");
    }
    f.broker.send_control(&message).await.expect("there");
    for listener in &mut listening {
        let received = within("a control message", listener.next()).await;
        assert_eq!(received, message);
    }
}

/// One test per behaviour that a broker must have; `$test` is its attribute,
/// such as `tokio::test`.
#[macro_export]
macro_rules! broker_conformance {
    ($make:path, $test:meta) => {
        $crate::broker_conformance!(@list $make, $test,
            first_come_first_served,
            a_claim_waits_and_can_be_given_up,
            a_dropped_delivery_comes_again_first,
            a_lost_consumer_loses_its_lease,
            a_job_that_crashes_workers_is_buried,
            a_retry_waits_on_its_rung,
            rungs_do_not_wait_for_each_other,
            a_hand_back_is_no_attempt,
            dead_letters_are_kept,
            a_dead_letter_is_replayed,
            a_retry_prefers_another_worker,
            a_lone_worker_gets_its_retry,
            topics_are_apart,
            results_are_kept_until_acknowledged,
            depth_counts_what_is_unfinished,
            missing_is_never_wrong,
            control_messages_reach_all_listeners,
            what_another_release_wrote_is_handed_back,
            what_no_release_reads_is_buried_in_the_end,
        );
    };
    (@list $make:path, $test:meta, $($name:ident,)*) => {
        $(
            #[$test]
            async fn $name() {
                $crate::conformance::$name($make().await).await;
            }
        )*
    };
}
