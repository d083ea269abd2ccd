//! The queues of jobs: ready jobs, leased jobs, and jobs on a rung.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_job::{JobId, Topic, clock::now_ms, envelope::JobEnvelope};

use super::{
    EmbeddedBrokerConfig,
    dead::DeadLetters,
    members::{Keep, Member, Members},
};
use crate::{BrokerError, DeadClass, DeadLetter, Depth, Rung, Settlement, unread::Unread};

/// A job with the broker's counts of its deliveries.
#[derive(Debug, Clone)]
pub(super) struct QueuedJob {
    pub(super) job: JobEnvelope,
    /// The job's sequence number in the queue. A redelivered job keeps the number, so
    /// the job returns to the head of the queue.
    seq: u64,
    pub(super) count: u32,
    pub(super) redelivered: bool,
    ready_since: Instant,
}

#[derive(Debug, Default)]
struct TopicQueue {
    ready: BTreeMap<u64, QueuedJob>,
    leases: HashMap<u64, JobLease>,
    rungs: [VecDeque<(Instant, WaitingMessage)>; 3],
}

#[derive(Debug)]
enum WaitingMessage {
    Job(JobEnvelope),
    /// A body that this release cannot read. One process has one release, so only
    /// tests publish such bodies.
    Unread(UnreadBody),
}

/// A message body that this release could not read at the last try.
#[derive(Debug)]
pub(super) struct UnreadBody {
    pub(super) topic: Topic,
    pub(super) bytes: Bytes,
    /// When a process first could not read the body, in ms since the Unix epoch.
    pub(super) since_ms: Option<u64>,
}

#[derive(Debug)]
struct JobLease {
    queued: QueuedJob,
    consumer: u64,
}

pub(super) struct LeasedJob {
    pub(super) topic: Topic,
    pub(super) lease: u64,
    pub(super) queued: QueuedJob,
}

#[derive(Debug, Default)]
pub(super) struct JobQueues {
    config: EmbeddedBrokerConfig,
    topics: [TopicQueue; 2],
    members: Members,
    pub(super) dead: DeadLetters,
    next: u64,
}

impl JobQueues {
    pub(super) fn new(config: EmbeddedBrokerConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    fn queue(&mut self, topic: Topic) -> &mut TopicQueue {
        &mut self.topics[topic as usize]
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn join(&mut self, topics: &[Topic], worker: &str) -> u64 {
        let id = self.number();
        let member = Member {
            worker: worker.to_owned(),
            topics: topics.to_vec(),
        };
        self.members.0.insert(id, member);
        id
    }

    /// Removes a consumer; its unsettled deliveries count as crashes.
    pub(super) fn leave(&mut self, consumer: u64) {
        self.members.0.remove(&consumer);
        for (topic, lease) in self.leased(|lease| lease.consumer == consumer) {
            self.crash(topic, lease);
        }
    }

    /// The leases for which `holds` is true.
    fn leased(&self, holds: impl Fn(&JobLease) -> bool) -> Vec<(Topic, u64)> {
        let mut found = Vec::new();
        for topic in Topic::ALL {
            let leases = self.topics[topic as usize].leases.iter();
            let held = leases.filter(|(_, lease)| holds(lease));
            found.extend(held.map(|(id, _)| (topic, *id)));
        }
        found
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
            Some(rung) => self.delay(topic, rung, WaitingMessage::Job(job)),
            None => self.enqueue(job),
        }
        Ok(())
    }

    pub(super) fn bury(&mut self, letter: &DeadLetter) -> Result<(), BrokerError> {
        self.dead.bury(letter, self.config.dead_limit)
    }

    /// Reads a body and enqueues its job, or delays or buries the body: see
    /// [`crate::unread`].
    pub(super) fn look(&mut self, mut body: UnreadBody) {
        let why = match JobEnvelope::parse(&body.bytes) {
            Ok(job) => return self.enqueue(job),
            Err(why) => why,
        };
        match Unread::decide(body.since_ms, self.config.unread_limit, &why) {
            Unread::HandBack { since_ms } => {
                body.since_ms = Some(since_ms);
                self.delay(body.topic, Rung::Long, WaitingMessage::Unread(body));
            }
            Unread::Bury(class, why) => {
                let letter = DeadLetter::unread(None, class, &body.bytes, &why);
                self.dead.put(letter);
            }
        }
    }

    fn delay(&mut self, topic: Topic, rung: Rung, message: WaitingMessage) {
        let due = Instant::now() + self.config.delays[rung as usize];
        self.queue(topic).rungs[rung as usize].push_back((due, message));
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

    /// Moves due messages from the rungs to the end of the queue, earliest due time first.
    fn promote(&mut self, topic: Topic) {
        let now = Instant::now();
        let mut due = Vec::new();
        for rung in &mut self.queue(topic).rungs {
            while rung.front().is_some_and(|(at, _)| *at <= now) {
                due.extend(rung.pop_front());
            }
        }
        due.sort_by_key(|(at, _)| *at);
        for (_, message) in due {
            match message {
                WaitingMessage::Job(job) => self.enqueue(job),
                WaitingMessage::Unread(body) => self.look(body),
            }
        }
    }

    /// Leases a job to a consumer. `Err`: the queues have no job for the consumer
    /// before a change or, if given, before this time.
    pub(super) fn pick(&mut self, consumer: u64) -> Result<LeasedJob, Option<Instant>> {
        let Some(Member { worker, topics }) = self.members.0.get(&consumer).cloned() else {
            return Err(None);
        };
        let mut wake: Option<Instant> = None;
        for topic in topics {
            self.promote(topic);
            let queue = &self.topics[topic as usize];
            for queued in queue.ready.values() {
                let until = queued.ready_since + self.config.patience;
                match self.members.keep(&queued.job, &worker, until) {
                    Keep::No => return Ok(self.lease(topic, queued.seq, consumer)),
                    Keep::Until(at) => wake = Some(wake.map_or(at, |w| w.min(at))),
                    Keep::Yes => {}
                }
            }
            let due = queue.rungs.iter().filter_map(|rung| rung.front());
            wake = due.map(|(at, _)| *at).chain(wake).min();
        }
        Err(wake)
    }

    fn lease(&mut self, topic: Topic, seq: u64, consumer: u64) -> LeasedJob {
        let lease = self.number();
        let queue = self.queue(topic);
        let queued = queue.ready.remove(&seq).expect("the job is ready");
        let held = JobLease {
            queued: queued.clone(),
            consumer,
        };
        queue.leases.insert(lease, held);
        LeasedJob {
            topic,
            lease,
            queued,
        }
    }

    /// Settles a leased job. `Ok(false)`: the lease was lost before.
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
            self.bury(letter)?;
        }
        let held = self.queue(topic).leases.remove(&lease);
        match how {
            Settlement::Ack | Settlement::Bury(_) => {}
            Settlement::Retry { rung, job } => {
                let retry = WaitingMessage::Job(job.clone());
                self.delay(job.topic(), *rung, retry);
            }
            Settlement::HandBack => held.into_iter().for_each(|l| self.enqueue(l.queued.job)),
        }
        Ok(true)
    }

    /// Counts a delivery that ended without a settlement: the job is ready again, or a
    /// dead letter.
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
        let leased = self.leased(|lease| lease.queued.job.id == job).pop();
        if let Some((topic, lease)) = leased {
            self.crash(topic, lease);
        }
        leased.is_some()
    }

    pub(super) fn depth(&mut self, topic: Topic) -> Depth {
        self.promote(topic);
        let queue = &self.topics[topic as usize];
        let oldest = queue.ready.values().map(|queued| queued.ready_since).min();
        Depth {
            ready: queue.ready.len(),
            in_flight: queue.leases.len(),
            rungs: [0, 1, 2].map(|rung| queue.rungs[rung].len()),
            consumers: self.members.of(topic).count(),
            oldest: oldest.map(|since| since.elapsed()),
        }
    }

    /// The ids of all jobs in the topic's queue, rungs and leases, and in the dead letters.
    pub(super) fn held(&self, topic: Topic) -> HashSet<JobId> {
        let queue = &self.topics[topic as usize];
        let ready = queue.ready.values().map(|queued| queued.job.id);
        let leased = queue.leases.values().map(|lease| lease.queued.job.id);
        let delayed = queue.rungs.iter().flatten();
        let delayed = delayed.filter_map(|(_, message)| match message {
            WaitingMessage::Job(job) => Some(job.id),
            WaitingMessage::Unread(_) => None,
        });
        let dead = self.dead.iter().map(|letter| letter.id);
        ready.chain(leased).chain(delayed).chain(dead).collect()
    }

    pub(super) fn wipe(&mut self) {
        self.topics = Default::default();
        self.dead = DeadLetters::default();
    }
}
