//! The policies of the queues: every limit that can be changed without deleting
//! and declaring a queue again.

use serde_json::{Map, Value, json};
use zkwhirl_job::Topic;

use super::{
    config::Limits,
    names::{
        DEAD, DEAD_QUEUE, JOBS, RESULTS, RESULTS_QUEUE, UNREAD_RESULTS_QUEUE, jobs_queue,
        rung_queue,
    },
};
use crate::Rung;

/// How many deliveries of a result may end without an ack, for example because the
/// bridge crashed, before the result is a dead letter.
const RESULT_DELIVERIES: u32 = 100;
/// The delivery limit of dead letters, in effect none: every scan counts as one
/// delivery of each letter.
const LOOKS: u32 = i32::MAX as u32;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct QueuePolicy {
    pub(super) name: String,
    /// A regular expression over queue names.
    pub(super) pattern: String,
    /// The queues that the policy applies to.
    pub(super) queues: Vec<&'static str>,
    pub(super) definition: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32);

impl Version {
    /// The oldest supported release: the first with at-least-once dead-lettering.
    pub(super) const OLDEST: Self = Self(3, 10);
    /// The first release whose policies can set the consumer timeout.
    pub(super) const CONSUMER_TIMEOUT: Self = Self(3, 12);

    /// Reads `3.10.8` or `4.1.0-rc.1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut number = || parts.next()?.parse().ok();
        Some(Self(number()?, number()?))
    }
}

pub(super) fn policies(limits: &Limits, version: Version) -> Vec<QueuePolicy> {
    let limited = |length: usize, definition: Value| {
        let mut all = definition.as_object().cloned().unwrap_or_default();
        all.insert("max-length".into(), json!(length));
        all.insert("overflow".into(), json!("reject-publish"));
        all
    };
    let leading_to = |exchange: &str, key: &str, value: u64| {
        let definition = json!({
            key: value,
            "dead-letter-exchange": exchange,
            "dead-letter-strategy": "at-least-once",
        });
        limited(limits.queue_limit, definition)
    };
    let held = |deliveries: u32| {
        let mut all = leading_to(DEAD, "delivery-limit", deliveries.into());
        if version >= Version::CONSUMER_TIMEOUT {
            let timeout_ms = limits.consumer_timeout.as_millis() as u64;
            all.insert("consumer-timeout".into(), json!(timeout_ms));
        }
        all
    };
    let rung_to = |exchange: &str, rung: Rung| {
        let delay_ms = limits.delays[rung as usize].as_millis() as u64;
        leading_to(exchange, "message-ttl", delay_ms)
    };
    let dead = limited(limits.dead_limit, json!({ "delivery-limit": LOOKS }));
    let jobs = held(limits.delivery_limit);
    let results = held(RESULT_DELIVERIES);
    let mut all = vec![
        policy("dead", &[DEAD_QUEUE], dead),
        policy("jobs", &Topic::ALL.map(jobs_queue), jobs),
        policy("results", &[RESULTS_QUEUE], results),
    ];
    for rung in Rung::ALL {
        let queues = Topic::ALL.map(|topic| rung_queue(topic, rung));
        let name = format!("retry-{rung}");
        all.push(policy(&name, &queues, rung_to(JOBS, rung)));
    }
    let unread = rung_to(RESULTS, Rung::Long);
    all.push(policy("retry-results", &[UNREAD_RESULTS_QUEUE], unread));
    all
}

fn policy(name: &str, queues: &[&'static str], definition: Map<String, Value>) -> QueuePolicy {
    let names = queues.iter().map(|queue| queue.replace('.', "\\."));
    let names: Vec<_> = names.collect();
    QueuePolicy {
        name: format!("zkwhirl-{name}"),
        pattern: format!("^({})$", names.join("|")),
        queues: queues.to_vec(),
        definition,
    }
}

impl QueuePolicy {
    /// The request body that sets the policy over the management API.
    pub(super) fn body(&self) -> Value {
        json!({
            "pattern": self.pattern,
            "definition": self.definition,
            "apply-to": "queues",
            // Above an operator's policy for all queues: only one policy applies.
            "priority": 10,
        })
    }

    /// The shell command that sets the policy without the management API.
    pub(super) fn command(&self, vhost: &str) -> String {
        let definition = Value::Object(self.definition.clone());
        format!(
            "rabbitmqctl set_policy -p {vhost} {} '{}' '{definition}' --priority 10 --apply-to queues",
            self.name, self.pattern
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::names::queues;

    #[test]
    fn every_queue_has_one_policy() {
        let all = policies(&Limits::default(), Version(3, 10));
        for queue in queues() {
            let of = all.iter().filter(|policy| policy.queues.contains(&queue));
            assert_eq!(of.count(), 1, "{queue}");
        }
        let dead = &all[0];
        assert_eq!(dead.pattern, "^(zkwhirl\\.dead\\.v1)$");
        let command = dead.command("zkwhirl");
        let begin = "rabbitmqctl set_policy -p zkwhirl ";
        assert!(command.starts_with(begin), "{command}");
    }

    #[test]
    fn the_timeout_is_a_policy_from_3_12_on() {
        let has = |version| {
            let all = policies(&Limits::default(), version);
            all[1].definition.contains_key("consumer-timeout")
        };
        assert!(!has(Version(3, 10)));
        assert!(has(Version(3, 12)));
        assert!(has(Version(4, 1)));
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(Version::parse("3.10.8"), Some(Version(3, 10)));
        assert_eq!(Version::parse("4.1.0-rc.1"), Some(Version(4, 1)));
        assert_eq!(Version::parse("new"), None);
    }
}
