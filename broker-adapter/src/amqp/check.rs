//! Checks at the start whether the broker's settings will cost jobs later.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::{
    AmqpClient,
    config::AmqpConfig,
    management::ManagementApi,
    policies::{QueuePolicy, Version, policies},
    provision::version,
};
use crate::BrokerError;

/// How long a check waits for a queue's policy: RabbitMQ shows a new queue's policy
/// with the queue's first statistics, every 5 s by default.
const FIRST_STATISTICS: Duration = Duration::from_secs(15);
/// How often the statistics are read.
const ASK: Duration = Duration::from_millis(250);
/// RabbitMQ's default consumer timeout: how long a worker may hold a job.
const DEFAULT_CONSUMER_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The broker does not report this setting.
    Unknown,
    /// The setting is harmless until another failure happens.
    Warning,
    /// Jobs will be lost or done for nothing: do not start.
    Refuse,
}

/// One wrong or unknown setting of the broker, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad the finding is.
    pub severity: Severity,
    /// The wrong setting, its place and the remedy, as one sentence.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn refuse(text: String) -> Finding {
    let severity = Severity::Refuse;
    Finding { severity, text }
}

fn warning(text: String) -> Finding {
    let severity = Severity::Warning;
    Finding { severity, text }
}

pub(super) async fn check(
    client: &AmqpClient,
    longest_job: Duration,
) -> Result<Vec<Finding>, BrokerError> {
    let Some(api) = &client.api else {
        let text = format!(
            "cannot check the broker's version, its policies and its consumer_timeout \
             (which must exceed {longest_job:?}): there is no management URL"
        );
        let severity = Severity::Unknown;
        return Ok(vec![Finding { severity, text }]);
    };
    let version = version(api).await?;
    if version < Version::OLDEST {
        let Version(major, minor) = version;
        return Ok(vec![refuse(format!(
            "RabbitMQ {major}.{minor} is too old: 3.10 is the oldest supported release"
        ))]);
    }
    let config = &client.config;
    let mut found = Vec::from_iter(timeouts(config, version, longest_job));
    for policy in policies(&config.limits, version) {
        for queue in &policy.queues {
            found.extend(check_queue(api, config, queue, &policy).await?);
        }
    }
    Ok(found)
}

/// Checks the consumer timeout. Before RabbitMQ 3.12 the timeout is a setting of the
/// node, which the API does not show.
fn timeouts(config: &AmqpConfig, version: Version, longest_job: Duration) -> Option<Finding> {
    let Version(major, minor) = version;
    let limit = config.limits.consumer_timeout;
    if longest_job >= limit {
        return Some(refuse(format!(
            "a job may take {longest_job:?}, but a worker may hold a job for {limit:?} only: \
             raise the consumer timeout"
        )));
    }
    if version >= Version::CONSUMER_TIMEOUT || longest_job < DEFAULT_CONSUMER_TIMEOUT {
        return None;
    }
    Some(warning(format!(
        "RabbitMQ {major}.{minor} does not show its consumer_timeout (30 min by default) and \
         a job may take {longest_job:?}: set consumer_timeout = {} in rabbitmq.conf of \
         every node",
        limit.as_millis()
    )))
}

async fn check_queue(
    api: &ManagementApi,
    config: &AmqpConfig,
    queue: &str,
    policy: &QueuePolicy,
) -> Result<Vec<Finding>, BrokerError> {
    let Some(seen) = with_policy(api, config.vhost(), queue).await? else {
        let text = format!("the queue {queue} is missing: run `zkwhirl provision`");
        return Ok(vec![refuse(text)]);
    };
    let mut found = Vec::new();
    if seen["type"] != "quorum" {
        let kind = seen["type"].as_str().unwrap_or("unknown");
        found.push(refuse(format!(
            "the queue {queue} is of type {kind}, not quorum: a job that crashes workers would \
             be redelivered for ever; drain it, delete it, run `zkwhirl provision`"
        )));
    }
    let effective = seen["effective_policy_definition"].as_object();
    found.extend(differences(queue, policy, effective));
    Ok(found)
}

/// Reads a queue from the API, and waits until the answer has the queue's policy.
async fn with_policy(
    api: &ManagementApi,
    vhost: &str,
    queue: &str,
) -> Result<Option<Value>, BrokerError> {
    let start = Instant::now();
    loop {
        let seen = api.queue(vhost, queue).await?;
        let without = |seen: &Value| seen.get("effective_policy_definition").is_none();
        if !seen.as_ref().is_some_and(without) || start.elapsed() > FIRST_STATISTICS {
            return Ok(seen);
        }
        sleep(ASK).await;
    }
}

/// The entry of a rung's policy that has its delay, in milliseconds.
const DELAY: &str = "message-ttl";

fn differences(
    queue: &str,
    policy: &QueuePolicy,
    effective: Option<&Map<String, Value>>,
) -> Option<Finding> {
    let empty = Map::new();
    let effective = effective.unwrap_or(&empty);
    let differs = |(key, wanted): (&String, &Value)| match effective.get(key) {
        Some(got) if got == wanted => None,
        // The operator may choose a rung's delay.
        Some(got) if key == DELAY && got.as_u64() > Some(0) => None,
        Some(got) => Some(format!("{key} is {got} instead of {wanted}")),
        None => Some(format!("{key} is not set, it must be {wanted}")),
    };
    let differing: Vec<_> = policy.definition.iter().filter_map(differs).collect();
    if differing.is_empty() {
        return None;
    }
    // Without an exchange for dead letters a queue drops jobs; without a delay a
    // rung keeps jobs for ever.
    let vital = ["dead-letter-exchange", DELAY];
    let lost = vital
        .iter()
        .any(|key| policy.definition.contains_key(*key) && !effective.contains_key(*key));
    let text = format!(
        "the policy of the queue {queue} differs: {}; run `zkwhirl provision`",
        differing.join(", ")
    );
    Some(if lost { refuse(text) } else { warning(text) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn config() -> AmqpConfig {
        AmqpConfig::new(Vec::new())
    }

    #[test]
    fn a_timeout_that_the_broker_does_not_show_is_a_warning_for_long_jobs_only() {
        let found = |version, longest| timeouts(&config(), version, longest);
        let (old, new) = (Version(3, 10), Version(4, 0));
        let hour = found(old, HOUR).unwrap();
        assert_eq!(hour.severity, Severity::Warning);
        let setting = "consumer_timeout = 14400000";
        assert!(hour.text.contains(setting), "{hour}");
        assert_eq!(found(old, HOUR / 4), None);
        assert_eq!(found(new, HOUR), None);
        let longer = found(new, 5 * HOUR).unwrap();
        assert_eq!(longer.severity, Severity::Refuse);
    }

    #[test]
    fn a_policy_that_differs_is_named_and_only_the_delay_of_a_rung_may() {
        let all = policies(&config().limits, Version(3, 10));
        let jobs = &all[1];
        let mut seen = jobs.definition.clone();
        assert_eq!(differences("q", jobs, Some(&seen)), None);
        seen.insert("delivery-limit".into(), json!(20));
        let text = "the policy of the queue q differs: delivery-limit is 20 instead of 5; \
                    run `zkwhirl provision`";
        let found = differences("q", jobs, Some(&seen));
        assert_eq!(found, Some(warning(text.to_owned())));
        let none = differences("q", jobs, None).unwrap();
        assert_eq!(none.severity, Severity::Refuse);

        let rung = all.iter().find(|p| p.definition.contains_key(DELAY));
        let rung = rung.unwrap();
        let mut seen = rung.definition.clone();
        seen.insert(DELAY.to_owned(), json!(1_000));
        assert_eq!(differences("q", rung, Some(&seen)), None);
        seen.remove(DELAY);
        let none = differences("q", rung, Some(&seen)).unwrap();
        assert_eq!(none.severity, Severity::Refuse);
    }
}
