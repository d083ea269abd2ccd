//! The queues of jobs: ready, leased, on a rung.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

#[cfg(any(test, feature = "test-util"))]
use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_job::{JobId, Topic, clock::now_ms, envelope::JobEnvelope};

use super::{
    EmbeddedBrokerConfig,
    dead::DeadLetters,
    members::{Keep, Member, Members},
    unread::{Looked, UnreadBodies, UnreadBody},
};
use crate::{BrokerError, DeadClass, DeadLetter, Depth, Rung, Settlement};

/// A job and what the broker counts about it.
#[derive(Debug, Clone)]
pub(super) struct QueuedJob {
    pub(super) job: JobEnvelope,
    /// Its place in the queue; kept over redeliveries, so that a returned job
    /// stands at the head again.
    seq: u64,
    pub(super) count: u32,
    pub(super) redelivered: bool,
    ready_since: Instant,
}

#[derive(Debug, Default)]
struct TopicQueue {
    ready: BTreeMap<u64, QueuedJob>,
    leases: HashMap<u64, JobLease>,
    rungs: [VecDeque<(Instant, JobEnvelope)>; 3],
}

#[derive(Debug)]
struct JobLease {
    queued: QueuedJob,
    consumer: u64,
}

/// What a claim finds.
pub(super) enum Pick {
    /// A job, leased to the consumer.
    Job {
        topic: Topic,
        lease: u64,
        queued: Box<QueuedJob>,
    },
    /// Nothing until something changes, or until this time.
    Nothing(Option<Instant>),
}

/// All queues of jobs, with the dead letters.
#[derive(Debug)]
pub(super) struct JobQueues {
    config: EmbeddedBrokerConfig,
    topics: [TopicQueue; 2],
    members: Members,
    pub(super) dead: DeadLetters,
    unread: UnreadBodies,
    next: u64,
}

fn index(topic: Topic) -> usize {
    match topic {
        Topic::Inner => 0,
        Topic::Outer => 1,
    }
}

impl JobQueues {
    pub(super) fn new(config: EmbeddedBrokerConfig) -> Self {
        Self {
            dead: DeadLetters::new(config.dead_limit),
            config,
            topics: Default::default(),
            members: Members::default(),
            unread: UnreadBodies::default(),
            next: 0,
        }
    }

    fn queue(&mut self, topic: Topic) -> &mut TopicQueue {
        &mut self.topics[index(topic)]
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn join(&mut self, topics: &[Topic], worker: &str) -> u64 {
        let id = self.number();
        self.members.join(id, topics, worker);
        id
    }

    /// A consumer is gone, and its deliveries with it.
    pub(super) fn leave(&mut self, consumer: u64) {
        self.members.leave(consumer);
        for topic in Topic::ALL {
            let leases = &self.queue(topic).leases;
            let held = leases
                .iter()
                .filter(|(_, lease)| lease.consumer == consumer);
            for lease in held.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.crash(topic, lease);
            }
        }
    }

    pub(super) fn publish(
        &mut self,
        job: JobEnvelope,
        after: Option<Rung>,
    ) -> Result<(), BrokerError> {
        let limit = self.config.queue_limit;
        let topic = job.topic();
        let queue = self.queue(topic);
        if queue.ready.len() + queue.rungs.iter().map(VecDeque::len).sum::<usize>() >= limit {
            return Err(BrokerError::Full {
                queue: topic.name(),
                limit,
            });
        }
        match after {
            Some(rung) => self.delay(rung, job),
            None => self.enqueue(job),
        }
        Ok(())
    }

    /// Takes a body as it is: see [`super::unread`].
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn publish_body(&mut self, topic: Topic, body: Bytes, since_ms: Option<u64>) {
        self.look(UnreadBody::new(topic, body, since_ms));
    }

    fn look(&mut self, body: UnreadBody) {
        let delay = self.config.delays[Rung::Long.index()];
        match body.look(delay, self.config.unread_limit) {
            Looked::Job(job) => self.enqueue(job),
            Looked::Waits(body) => self.unread.wait(body),
            Looked::Dead(letter) => self.dead.put(letter),
        }
    }

    fn delay(&mut self, rung: Rung, job: JobEnvelope) {
        let due = Instant::now() + self.config.delays[rung.index()];
        self.queue(job.topic()).rungs[rung.index()].push_back((due, job));
    }

    fn enqueue(&mut self, job: JobEnvelope) {
        let seq = self.number();
        let queued = QueuedJob {
            seq,
            count: 0,
            redelivered: false,
            ready_since: Instant::now(),
            job,
        };
        self.queue(queued.job.topic()).ready.insert(seq, queued);
    }

    /// Moves what is due from the rungs to the end of the queue, earliest
    /// first.
    fn promote(&mut self, topic: Topic) {
        let now = Instant::now();
        let mut due = Vec::new();
        for rung in &mut self.queue(topic).rungs {
            while rung.front().is_some_and(|(at, _)| *at <= now) {
                due.extend(rung.pop_front());
            }
        }
        due.sort_by_key(|(at, _)| *at);
        for (_, job) in due {
            self.enqueue(job);
        }
        for body in self.unread.take_due(topic) {
            self.look(body);
        }
    }

    pub(super) fn pick(&mut self, consumer: u64) -> Pick {
        let Some(Member { worker, topics }) = self.members.get(consumer).cloned() else {
            return Pick::Nothing(None);
        };
        let mut wake: Option<Instant> = None;
        for topic in topics {
            self.promote(topic);
            let mut found = None;
            let queue = &self.topics[index(topic)];
            for queued in queue.ready.values() {
                let until = queued.ready_since + self.config.patience;
                match self.members.keep(&queued.job, &worker, until) {
                    Keep::No => {
                        found = Some(queued.seq);
                        break;
                    }
                    Keep::Until(at) => wake = Some(wake.map_or(at, |w| w.min(at))),
                    Keep::Yes => {}
                }
            }
            if let Some(seq) = found {
                return self.lease(topic, seq, consumer);
            }
            let due = queue.rungs.iter().filter_map(|rung| rung.front());
            let due = due.map(|(at, _)| *at).chain(self.unread.next_due(topic));
            wake = due.chain(wake).min();
        }
        Pick::Nothing(wake)
    }

    fn lease(&mut self, topic: Topic, seq: u64, consumer: u64) -> Pick {
        let lease = self.number();
        let queue = self.queue(topic);
        let queued = queue.ready.remove(&seq).expect("the caller just saw it");
        let held = JobLease {
            queued: queued.clone(),
            consumer,
        };
        queue.leases.insert(lease, held);
        Pick::Job {
            topic,
            lease,
            queued: Box::new(queued),
        }
    }

    /// False: the lease is not there any more.
    pub(super) fn settle(
        &mut self,
        topic: Topic,
        lease: u64,
        how: &Settlement,
    ) -> Result<bool, BrokerError> {
        if !self.queue(topic).leases.contains_key(&lease) {
            return Ok(false);
        }
        if let Settlement::Bury(letter) = how {
            self.dead.bury(letter.clone())?;
        }
        let held = self.queue(topic).leases.remove(&lease);
        match how {
            Settlement::Ack | Settlement::Bury(_) => {}
            Settlement::Retry { rung, job } => self.delay(*rung, job.clone()),
            Settlement::HandBack => held.into_iter().for_each(|l| self.enqueue(l.queued.job)),
        }
        Ok(true)
    }

    /// A delivery ended without a settlement.
    pub(super) fn crash(&mut self, topic: Topic, lease: u64) {
        let Some(JobLease { mut queued, .. }) = self.queue(topic).leases.remove(&lease) else {
            return;
        };
        queued.count += 1;
        queued.redelivered = true;
        queued.ready_since = Instant::now();
        let limit = self.config.delivery_limit;
        if queued.count <= limit {
            self.queue(topic).ready.insert(queued.seq, queued);
            return;
        }
        let why = DeadLetter::crashes(queued.count, limit);
        self.dead.put(DeadLetter {
            class: DeadClass::Crashes,
            ..DeadLetter::of(&queued.job, &why, now_ms())
        });
    }

    pub(super) fn revoke(&mut self, job: JobId) -> bool {
        for topic in Topic::ALL {
            let leases = &self.queue(topic).leases;
            let lease = leases.iter().find(|(_, lease)| lease.queued.job.id == job);
            if let Some(lease) = lease.map(|(id, _)| *id) {
                self.crash(topic, lease);
                return true;
            }
        }
        false
    }

    pub(super) fn depth(&mut self, topic: Topic) -> Depth {
        self.promote(topic);
        let queue = &self.topics[index(topic)];
        let oldest = queue.ready.values().map(|queued| queued.ready_since).min();
        let mut rungs = [0, 1, 2].map(|rung| queue.rungs[rung].len());
        rungs[Rung::Long.index()] += self.unread.count(topic);
        Depth {
            ready: queue.ready.len(),
            in_flight: queue.leases.len(),
            rungs,
            consumers: self.members.count(topic),
            oldest: oldest.map(|since| since.elapsed()),
        }
    }

    /// Every job that the topic's queue, rungs, leases and the dead letters
    /// hold.
    pub(super) fn held(&self, topic: Topic) -> HashSet<JobId> {
        let queue = &self.topics[index(topic)];
        let ready = queue.ready.values().map(|queued| queued.job.id);
        let leased = queue.leases.values().map(|lease| lease.queued.job.id);
        let delayed = queue.rungs.iter().flatten().map(|(_, job)| job.id);
        let held = ready.chain(leased).chain(delayed);
        held.chain(self.dead.jobs()).collect()
    }

    pub(super) fn wipe(&mut self) {
        self.topics = Default::default();
        self.unread = UnreadBodies::default();
        self.dead.clear();
    }
}
