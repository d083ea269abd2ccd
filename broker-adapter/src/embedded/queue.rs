//! The queues of jobs: ready, leased, on a rung, dead.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use tokio::time::Instant;
use zkwhirl_job::{FailureClass, JobId, Topic, envelope::JobEnvelope};

use super::{BrokerError, DeadLetter, Depth, EmbeddedBrokerConfig, Rung};
use crate::Settlement;
use zkwhirl_job::clock;

/// A message and what the broker counts about it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) job: JobEnvelope,
    /// Place in the queue; kept over redeliveries, so that a returned message
    /// stands at the head again.
    seq: u64,
    pub(super) count: u32,
    pub(super) redelivered: bool,
    ready_since: Instant,
}

#[derive(Debug, Default)]
struct Queue {
    ready: BTreeMap<u64, Message>,
    leases: HashMap<u64, Lease>,
    rungs: [VecDeque<(Instant, JobEnvelope)>; 3],
}

#[derive(Debug)]
struct Lease {
    message: Message,
    consumer: u64,
}

#[derive(Debug)]
struct Member {
    worker: String,
    topics: Vec<Topic>,
}

/// What a claim finds.
pub(super) enum Pick {
    /// A job, leased to the consumer.
    Job {
        topic: Topic,
        lease: u64,
        message: Box<Message>,
    },
    /// Nothing until something changes, or until this time.
    Nothing(Option<Instant>),
}

#[derive(Debug)]
pub(super) struct State {
    config: EmbeddedBrokerConfig,
    inner: Queue,
    outer: Queue,
    members: HashMap<u64, Member>,
    dead: BTreeMap<u64, DeadLetter>,
    next: u64,
}

impl State {
    pub(super) fn new(config: EmbeddedBrokerConfig) -> Self {
        Self {
            config,
            inner: Queue::default(),
            outer: Queue::default(),
            members: HashMap::new(),
            dead: BTreeMap::new(),
            next: 0,
        }
    }

    fn queue(&mut self, topic: Topic) -> &mut Queue {
        match topic {
            Topic::Inner => &mut self.inner,
            Topic::Outer => &mut self.outer,
        }
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
        self.members.insert(id, member);
        id
    }

    /// A consumer is gone, and its deliveries with it.
    pub(super) fn leave(&mut self, consumer: u64) {
        self.members.remove(&consumer);
        for topic in Topic::ALL {
            let leases = &self.queue(topic).leases;
            let held: Vec<u64> = leases
                .iter()
                .filter(|(_, lease)| lease.consumer == consumer)
                .map(|(id, _)| *id)
                .collect();
            for lease in held {
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

    fn delay(&mut self, rung: Rung, job: JobEnvelope) {
        let due = Instant::now() + self.config.delays[rung.index()];
        self.queue(job.topic()).rungs[rung.index()].push_back((due, job));
    }

    fn enqueue(&mut self, job: JobEnvelope) {
        let seq = self.number();
        let message = Message {
            seq,
            count: 0,
            redelivered: false,
            ready_since: Instant::now(),
            job,
        };
        self.queue(message.job.topic()).ready.insert(seq, message);
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
    }

    pub(super) fn pick(&mut self, consumer: u64) -> Pick {
        let Some(member) = self.members.get(&consumer) else {
            return Pick::Nothing(None);
        };
        let (worker, topics) = (member.worker.clone(), member.topics.clone());
        let mut wake: Option<Instant> = None;
        for topic in topics {
            self.promote(topic);
            let mut found = None;
            for message in self.queue_ref(topic).ready.values() {
                match self.kept_from(&worker, topic, message) {
                    Keep::No => {
                        found = Some(message.seq);
                        break;
                    }
                    Keep::Until(at) => wake = Some(wake.map_or(at, |w| w.min(at))),
                    Keep::Yes => {}
                }
            }
            if let Some(seq) = found {
                return self.lease(topic, seq, consumer);
            }
            let rungs = &self.queue_ref(topic).rungs;
            let due = rungs
                .iter()
                .filter_map(|rung| rung.front())
                .map(|(at, _)| *at);
            wake = due.chain(wake).min();
        }
        Pick::Nothing(wake)
    }

    fn queue_ref(&self, topic: Topic) -> &Queue {
        match topic {
            Topic::Inner => &self.inner,
            Topic::Outer => &self.outer,
        }
    }

    fn lease(&mut self, topic: Topic, seq: u64, consumer: u64) -> Pick {
        let lease = self.number();
        let queue = self.queue(topic);
        let message = queue.ready.remove(&seq).expect("the caller just saw it");
        let held = Lease {
            message: message.clone(),
            consumer,
        };
        queue.leases.insert(lease, held);
        Pick::Job {
            topic,
            lease,
            message: Box::new(message),
        }
    }

    /// Whether a job is kept from a worker that failed it, for another.
    fn kept_from(&self, worker: &str, topic: Topic, message: &Message) -> Keep {
        let job = &message.job;
        // Only this series of attempts counts: a replayed job starts afresh.
        let series = job.history.len().min(job.attempt as usize - 1);
        let failed = &job.history[job.history.len() - series..];
        let has_failed = |name: &str| failed.iter().any(|record| record.worker == name);
        let others = || {
            self.members
                .values()
                .any(|member| member.topics.contains(&topic) && !has_failed(&member.worker))
        };
        if !has_failed(worker) || !others() {
            return Keep::No;
        }
        let last = failed.last().map(|record| record.failure.class);
        let until = message.ready_since + self.config.patience;
        match last {
            Some(FailureClass::Invalid) => Keep::Yes,
            _ if until <= Instant::now() => Keep::No,
            _ => Keep::Until(until),
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
            self.bury(letter.clone())?;
        }
        let held = self.queue(topic).leases.remove(&lease);
        match how {
            Settlement::Ack | Settlement::Bury(_) => {}
            Settlement::Retry { rung, job } => self.delay(*rung, job.clone()),
            Settlement::HandBack => held.into_iter().for_each(|l| self.enqueue(l.message.job)),
        }
        Ok(true)
    }

    /// A delivery ended without a settlement.
    pub(super) fn crash(&mut self, topic: Topic, lease: u64) {
        let Some(Lease { mut message, .. }) = self.queue(topic).leases.remove(&lease) else {
            return;
        };
        message.count += 1;
        message.redelivered = true;
        message.ready_since = Instant::now();
        let limit = self.config.delivery_limit;
        if message.count <= limit {
            self.queue(topic).ready.insert(message.seq, message);
            return;
        }
        let why = format!(
            "delivered {} times without a verdict (delivery limit {limit}); it may crash workers",
            message.count
        );
        // Past the limit of letters too: dropping the job would lose it.
        self.put_dead(DeadLetter::of(&message.job, &why, clock::now_ms()));
    }

    pub(super) fn revoke(&mut self, job: JobId) -> bool {
        for topic in Topic::ALL {
            let leases = &self.queue(topic).leases;
            let lease = leases.iter().find(|(_, lease)| lease.message.job.id == job);
            if let Some(lease) = lease.map(|(id, _)| *id) {
                self.crash(topic, lease);
                return true;
            }
        }
        false
    }

    pub(super) fn bury(&mut self, letter: DeadLetter) -> Result<(), BrokerError> {
        let limit = self.config.dead_limit;
        let known = self.dead.values().any(|dead| dead.id == letter.id);
        if self.dead.len() >= limit && !known {
            return Err(BrokerError::Full {
                queue: "dead",
                limit,
            });
        }
        self.put_dead(letter);
        Ok(())
    }

    fn put_dead(&mut self, letter: DeadLetter) {
        self.dead.retain(|_, dead| dead.id != letter.id);
        let seq = self.number();
        self.dead.insert(seq, letter);
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.dead.values().take(limit).cloned().collect()
    }

    pub(super) fn dead_letter(&self, job: JobId) -> Option<DeadLetter> {
        self.dead.values().find(|dead| dead.id == job).cloned()
    }

    pub(super) fn remove_dead(&mut self, job: JobId) -> bool {
        let before = self.dead.len();
        self.dead.retain(|_, dead| dead.id != job);
        self.dead.len() < before
    }

    pub(super) fn depth(&mut self, topic: Topic) -> Depth {
        self.promote(topic);
        let members = self.members.values();
        let consumers = members.filter(|m| m.topics.contains(&topic)).count();
        let queue = self.queue(topic);
        let oldest = queue
            .ready
            .values()
            .map(|message| message.ready_since)
            .min();
        Depth {
            ready: queue.ready.len(),
            in_flight: queue.leases.len(),
            rungs: [0, 1, 2].map(|rung| queue.rungs[rung].len()),
            consumers,
            oldest: oldest.map(|since| since.elapsed()),
        }
    }

    /// Every job that the topic's queue, rungs, leases and the dead letters
    /// hold.
    pub(super) fn held(&mut self, topic: Topic) -> HashSet<JobId> {
        let dead: Vec<JobId> = self.dead.values().map(|dead| dead.id).collect();
        let queue = self.queue(topic);
        let ready = queue.ready.values().map(|message| message.job.id);
        let leased = queue.leases.values().map(|lease| lease.message.job.id);
        let delayed = queue.rungs.iter().flatten().map(|(_, job)| job.id);
        ready.chain(leased).chain(delayed).chain(dead).collect()
    }

    pub(super) fn wipe(&mut self) {
        self.inner = Queue::default();
        self.outer = Queue::default();
        self.dead.clear();
    }
}

/// Whether a worker may have a message.
enum Keep {
    No,
    Until(Instant),
    Yes,
}
