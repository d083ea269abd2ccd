//! The topology: the names of the exchanges and queues, and the bindings.
//!
//! ```text
//! zkwhirl.jobs     topic   <topic>.<kind>, <rung>.<topic>.<kind> → zkwhirl.jobs.<topic>.v1
//! zkwhirl.retry    topic   <rung>.<topic>.<kind> → zkwhirl.retry.<topic>.<rung>.v1
//!                             (after the rung's delay, dead-lettered back to zkwhirl.jobs)
//!                          now.<topic>.<kind> → zkwhirl.jobs
//!                          10m.results.<kind> → zkwhirl.retry.results.10m.v1
//!                             (unreadable results; after 10 min back to zkwhirl.results)
//! zkwhirl.results  fanout  → zkwhirl.results.v1
//! zkwhirl.dead     fanout  → zkwhirl.dead.v1
//! zkwhirl.control  fanout  → an exclusive queue of each process
//! ```
//! Workers publish jobs and results to `retry`, `results` and `dead` only. Each topic
//! has its own rungs, so that each topic's unfinished jobs can be counted.

use lapin::ExchangeKind;
use zkwhirl_job::{Kind, Topic};

use crate::Rung;

pub(super) const JOBS: &str = "zkwhirl.jobs";
pub(super) const RETRY: &str = "zkwhirl.retry";
pub(super) const RESULTS: &str = "zkwhirl.results";
pub(super) const DEAD: &str = "zkwhirl.dead";
pub(super) const CONTROL: &str = "zkwhirl.control";

pub(super) const RESULTS_QUEUE: &str = "zkwhirl.results.v1";
/// The queue in which results wait that the bridge cannot read.
pub(super) const UNREAD_RESULTS_QUEUE: &str = "zkwhirl.retry.results.10m.v1";
pub(super) const DEAD_QUEUE: &str = "zkwhirl.dead.v1";
/// The beginning of the names of the processes' exclusive queues.
pub(super) const CONTROL_QUEUES: &str = "zkwhirl.control.";

pub(super) const EXCHANGES: [(&str, ExchangeKind); 5] = [
    (JOBS, ExchangeKind::Topic),
    (RETRY, ExchangeKind::Topic),
    (RESULTS, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Fanout),
    (CONTROL, ExchangeKind::Fanout),
];

pub(super) fn jobs_queue(topic: Topic) -> &'static str {
    match topic {
        Topic::Inner => "zkwhirl.jobs.inner.v1",
        Topic::Outer => "zkwhirl.jobs.outer.v1",
    }
}

pub(super) fn rung_queue(topic: Topic, rung: Rung) -> &'static str {
    match (topic, rung) {
        (Topic::Inner, Rung::Short) => "zkwhirl.retry.inner.10s.v1",
        (Topic::Inner, Rung::Medium) => "zkwhirl.retry.inner.1m.v1",
        (Topic::Inner, Rung::Long) => "zkwhirl.retry.inner.10m.v1",
        (Topic::Outer, Rung::Short) => "zkwhirl.retry.outer.10s.v1",
        (Topic::Outer, Rung::Medium) => "zkwhirl.retry.outer.1m.v1",
        (Topic::Outer, Rung::Long) => "zkwhirl.retry.outer.10m.v1",
    }
}

pub(super) fn job_key(kind: Kind) -> String {
    let name = if kind.is_vk() { "vk" } else { kind.name() };
    format!("{}.{name}", kind.topic().name())
}

/// The routing key of a job that is requeued, at once or after a rung's delay.
pub(super) fn retry_key(kind: Kind, rung: Option<Rung>) -> String {
    format!("{}.{}", rung.map_or("now", Rung::name), job_key(kind))
}

/// The queue in which an unreadable message waits; without a topic the message is a result.
pub(super) fn unread_queue(topic: Option<Topic>) -> &'static str {
    topic.map_or(UNREAD_RESULTS_QUEUE, |topic| rung_queue(topic, Rung::Long))
}

/// The routing key of an unreadable message: the last word, the kind, is kept.
pub(super) fn unread_key(topic: Option<Topic>, key: &str) -> String {
    let queue = topic.map_or("results", Topic::name);
    let kind = key.rsplit('.').next().filter(|kind| !kind.is_empty());
    let kind = kind.unwrap_or("unknown");
    format!("{}.{queue}.{kind}", Rung::Long)
}

/// Reads the topic in a routing key of a job.
pub(super) fn topic_of(key: &str) -> Option<Topic> {
    let mut words = key.split('.').rev().skip(1);
    words.find_map(|word| word.parse().ok())
}

/// Cuts a process's name for AMQP names, which have at most 255 bytes.
pub(super) fn short(name: &str) -> String {
    name.chars().take(40).collect()
}

/// All durable queues. The queue of dead letters comes first: while it does not
/// exist, dead-lettered messages pile up in the broker's memory.
pub(super) fn queues() -> Vec<&'static str> {
    let jobs = Topic::ALL.map(jobs_queue);
    let rungs = Topic::ALL.map(|topic| Rung::ALL.map(|rung| rung_queue(topic, rung)));
    let mut all = vec![DEAD_QUEUE, RESULTS_QUEUE, UNREAD_RESULTS_QUEUE];
    all.extend(jobs.into_iter().chain(rungs.into_iter().flatten()));
    all
}

/// The bindings: source exchange, pattern, destination, and whether the destination
/// is an exchange (otherwise it is a queue).
pub(super) fn bindings() -> Vec<(&'static str, String, &'static str, bool)> {
    let mut all = vec![
        (DEAD, String::new(), DEAD_QUEUE, false),
        (RESULTS, String::new(), RESULTS_QUEUE, false),
        (RETRY, "now.#".into(), JOBS, true),
        (RETRY, unread_key(None, "*"), UNREAD_RESULTS_QUEUE, false),
    ];
    for topic in Topic::ALL {
        let (queue, name) = (jobs_queue(topic), topic.name());
        all.push((JOBS, format!("{name}.*"), queue, false));
        all.push((JOBS, format!("*.{name}.*"), queue, false));
        for rung in Rung::ALL {
            let key = format!("{}.{name}.*", rung);
            all.push((RETRY, key, rung_queue(topic, rung), false));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_topic_and_kind() {
        assert_eq!(job_key(Kind::TxRollup), "inner.tx-rollup");
        assert_eq!(job_key(Kind::AccountVk), "outer.vk");
        assert_eq!(retry_key(Kind::Claim, None), "now.inner.claim");
        let key = retry_key(Kind::RootVerifier, Some(Rung::Medium));
        assert_eq!(key, "1m.outer.root-verifier");
        assert_eq!(topic_of(&key), Some(Topic::Outer));
        assert_eq!(topic_of("inner.outer"), Some(Topic::Inner));
        assert_eq!(topic_of("elsewhere"), None);
    }

    #[test]
    fn every_queue_is_bound() {
        let bound: Vec<_> = bindings().into_iter().map(|(.., to, _)| to).collect();
        assert!(queues().iter().all(|queue| bound.contains(queue)));
        assert_eq!(queues().len(), 11);
    }
}
