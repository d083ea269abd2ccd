//! Random operations against a model of sets: nothing is lost, nothing is
//! settled twice, crashes are bounded, order is kept.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use proptest::prelude::*;
use tokio::time::{advance, timeout};
use zkwhirl_job::{Failure, JobId, Topic};

use crate::{Broker, DeadLetter, Delivery, EmbeddedBroker, JobConsumer, Rung, Settlement};
use zkwhirl_testkit::{claim_job, failed_by};

const WORKERS: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    Publish,
    Claim(usize),
    Ack(usize),
    Retry(usize),
    HandBack(usize),
    Bury(usize),
    Crash(usize),
    LoseLease(usize),
    Advance(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let worker = 0..WORKERS;
    let op = prop_oneof![
        4 => Just(Op::Publish),
        6 => worker.clone().prop_map(Op::Claim),
        3 => worker.clone().prop_map(Op::Ack),
        2 => worker.clone().prop_map(Op::Retry),
        1 => worker.clone().prop_map(Op::HandBack),
        1 => worker.clone().prop_map(Op::Bury),
        2 => worker.clone().prop_map(Op::Crash),
        1 => worker.prop_map(Op::LoseLease),
        2 => (1u64..15).prop_map(Op::Advance),
    ];
    prop::collection::vec(op, 1..120)
}

struct ModelWorker {
    consumer: Box<dyn JobConsumer>,
    held: Option<Delivery>,
    /// False after the lease was lost: then a settlement must return false.
    live: bool,
}

/// Where the model believes each job is.
#[derive(Default)]
struct Model {
    published: u32,
    /// Jobs that were never retried or requeued, in order of arrival; they must be
    /// claimed in this order.
    fresh: VecDeque<JobId>,
    acked: BTreeSet<JobId>,
    dead: BTreeSet<JobId>,
    crashes: HashMap<JobId, u32>,
}

struct ModelRun {
    broker: EmbeddedBroker,
    workers: Vec<ModelWorker>,
    model: Model,
}

impl ModelRun {
    async fn start() -> Self {
        let broker = EmbeddedBroker::default();
        let mut workers = Vec::new();
        for n in 0..WORKERS {
            let name = format!("w{n}");
            workers.push(ModelWorker {
                consumer: broker.subscribe(&[Topic::Inner], &name).await.unwrap(),
                held: None,
                live: false,
            });
        }
        Self {
            broker,
            workers,
            model: Model::default(),
        }
    }

    async fn apply(&mut self, op: Op) {
        match op {
            Op::Publish => {
                let job = claim_job(self.model.published);
                self.model.published += 1;
                self.model.fresh.push_back(job.id);
                self.broker.publish(&job, None).await.unwrap();
            }
            Op::Claim(w) => self.claim(w).await,
            Op::Ack(w) => self.settle(w, |_| Settlement::Ack).await,
            Op::HandBack(w) => self.settle(w, |_| Settlement::HandBack).await,
            Op::Retry(w) => {
                let name = format!("w{w}");
                let retry = |delivery: &Delivery| Settlement::Retry {
                    rung: Rung::Short,
                    job: failed_by(delivery.job.clone(), &name, Failure::prover("died")),
                };
                self.settle(w, retry).await;
            }
            Op::Bury(w) => {
                let bury = |delivery: &Delivery| {
                    Settlement::Bury(DeadLetter::of(&delivery.job, "for the test", 0))
                };
                self.settle(w, bury).await;
            }
            Op::Crash(w) => {
                if let Some(delivery) = self.workers[w].held.take()
                    && self.workers[w].live
                {
                    self.count_crash(delivery.job.id);
                }
            }
            Op::LoseLease(w) => {
                if let Some(job) = self.workers[w].held.as_ref().map(|d| d.job.id)
                    && std::mem::take(&mut self.workers[w].live)
                {
                    assert!(self.broker.revoke(job));
                    self.count_crash(job);
                }
            }
            Op::Advance(seconds) => advance(Duration::from_secs(seconds)).await,
        }
    }

    fn count_crash(&mut self, job: JobId) {
        let crashes = self.model.crashes.entry(job).or_default();
        *crashes += 1;
        if *crashes > crate::DELIVERY_LIMIT {
            self.model.dead.insert(job);
        }
    }

    async fn claim(&mut self, w: usize) {
        if self.workers[w].held.is_some() {
            return;
        }
        let claim = timeout(Duration::ZERO, self.workers[w].consumer.claim()).await;
        let Ok(delivery) = claim.map(Result::unwrap) else {
            return;
        };
        let job = delivery.job.id;
        assert!(!self.model.acked.contains(&job), "claimed after its ack");
        assert!(!self.model.dead.contains(&job), "claimed after its burial");
        let elsewhere = |other: &ModelWorker| {
            other.live && other.held.as_ref().is_some_and(|held| held.job.id == job)
        };
        assert!(!self.workers.iter().any(elsewhere), "two leases on one job");
        if self.model.fresh.front() == Some(&job) {
            self.model.fresh.pop_front();
        } else {
            assert!(!self.model.fresh.contains(&job), "out of order");
        }
        let crashes = self.model.crashes.get(&job).copied().unwrap_or(0);
        assert_eq!(delivery.delivery_count, crashes);
        self.workers[w].held = Some(delivery);
        self.workers[w].live = true;
    }

    async fn settle(&mut self, w: usize, how: impl Fn(&Delivery) -> Settlement) {
        let Some(mut delivery) = self.workers[w].held.take() else {
            return;
        };
        let how = how(&delivery);
        let settled = delivery.settle(&how).await.unwrap();
        assert_eq!(settled, self.workers[w].live, "{how:?}");
        let again = delivery.settle(&how).await.unwrap();
        assert!(!again, "settled twice");
        if !settled {
            return;
        }
        let job = delivery.job.id;
        match how {
            Settlement::Ack => assert!(self.model.acked.insert(job), "acked twice"),
            Settlement::Bury(_) => assert!(self.model.dead.insert(job), "buried twice"),
            // The job was published again: the broker's count starts again.
            Settlement::Retry { .. } | Settlement::HandBack => {
                self.model.crashes.remove(&job);
            }
        }
    }

    /// Lets every worker finish: each job must end acked or dead.
    async fn drain(mut self) {
        for w in 0..WORKERS {
            self.settle(w, |_| Settlement::Ack).await;
        }
        for _ in 0..4 {
            advance(Duration::from_secs(40)).await;
            for _ in 0..self.model.published {
                for w in 0..WORKERS {
                    self.claim(w).await;
                    self.settle(w, |_| Settlement::Ack).await;
                }
            }
        }
        for n in 0..self.model.published {
            let job = claim_job(n).id;
            let ends = [&self.model.acked, &self.model.dead];
            let ends = ends.iter().filter(|set| set.contains(&job)).count();
            assert_eq!(ends, 1, "job {n} ends exactly once");
        }
        let buried = self.broker.dead_letters(usize::MAX).await.unwrap();
        let buried: BTreeSet<_> = buried.iter().map(|letter| letter.id).collect();
        assert_eq!(buried, self.model.dead);
        let depth = self.broker.depth(Topic::Inner).await.unwrap();
        assert_eq!(depth.unfinished(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_or_settled_twice(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut run = ModelRun::start().await;
            for op in ops {
                run.apply(op).await;
            }
            run.drain().await;
        });
    }
}
