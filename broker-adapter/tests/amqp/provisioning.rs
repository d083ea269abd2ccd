//! Topologies that are missing or have other settings, and users without permissions.

use std::time::Duration;

use serde_json::json;
use zkwhirl_broker_adapter::{
    Broker, BrokerError, Control, DeadLetter, Settlement,
    amqp::{
        AmqpBroker, AmqpConfig, Finding, Severity,
        provision::{Role, User, provision},
    },
};
use zkwhirl_job::Topic;
use zkwhirl_testkit::{PATIENCE, claim_job, eventually, result_of, within};

use crate::support::{Vhost, claimed, join, letters, not_ready, said_at_last};

/// The broker may make a vhost although its answer came too late.
#[tokio::test(flavor = "multi_thread")]
async fn a_provisioning_that_was_cut_short_is_finished_by_the_next() {
    let vhost = Vhost::empty().await;
    vhost.put(&["vhosts", &vhost.name], &json!({})).await;
    let said = provision(&vhost.config, &[]).await.unwrap();
    assert!(said[0].ends_with("exists"), "{said:?}");
    vhost.connect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topology_is_one_sentence() {
    let vhost = Vhost::empty().await;
    let name = vhost.config.hosts[0].to_string();
    let broker = AmqpBroker::start(AmqpConfig {
        patience: Duration::from_millis(500),
        ..vhost.config.clone()
    });
    let broker = broker.unwrap();
    said_at_last(&broker, &[&name, "run `zkwhirl provision`"]).await;
    provision(&vhost.config, &[]).await.unwrap();
    broker.ready(PATIENCE).await.unwrap();

    vhost.delete("queues", "zkwhirl.jobs.inner.v1").await;
    let vhost_name = &vhost.name;
    let lacking = format!(
        "the broker is unavailable: the vhost {vhost_name} lacks the queue zkwhirl.jobs.inner.v1: \
         run `zkwhirl provision`"
    );
    assert_eq!(said_at_last(&broker, &["lacks"]).await, lacking);
    let unroutable = broker.publish(&claim_job(1), None).await.unwrap_err();
    let why = "the broker is unavailable: no queue takes inner.claim from the exchange zkwhirl.jobs: \
               run `zkwhirl provision`";
    assert_eq!(unroutable.to_string(), why);
    #[track_caller]
    fn check(error: &BrokerError) {
        let error = error.to_string();
        let said = error.contains("NOT_FOUND") && error.contains("zkwhirl provision");
        assert!(said, "{error}");
    }
    let joining = broker.subscribe(&[Topic::Inner], "a").await;
    check(&joining.unwrap_err());
    vhost.delete("exchanges", "zkwhirl.jobs").await;
    let publishing = broker.publish(&claim_job(1), None).await;
    check(&publishing.unwrap_err());
    // After the queue was made again the same broker continues.
    provision(&vhost.config, &[]).await.unwrap();
    broker.publish(&claim_job(1), None).await.unwrap();
    assert_eq!(claimed(&mut join(&broker).await).await, claim_job(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_find_what_would_hurt() {
    let (vhost, broker) = Vhost::with_broker().await;
    let minutes = Duration::from_secs(20 * 60);
    // RabbitMQ's statistics show a change some seconds later.
    let fit = || async { broker.check(minutes).await.unwrap().is_empty() };
    eventually("the policies are seen", fit).await;
    let hours = broker.check(Duration::from_secs(5 * 3600)).await.unwrap();
    assert_eq!(hours[0].severity, Severity::Refuse);
    let says = async |severity: Severity, queue: &str, what: &str| {
        let said = |found: &Finding| {
            let text = &found.text;
            found.severity == severity && text.contains(queue) && text.contains(what)
        };
        let all = || async { broker.check(minutes).await.unwrap() };
        eventually(what, || async { all().await.iter().any(said) }).await;
    };
    let [jobs, results] = ["zkwhirl.jobs.inner.v1", "zkwhirl.results.v1"];
    vhost.delete("policies", "zkwhirl-retry-1m").await;
    let (rung, lost) = ("zkwhirl.retry.inner.1m.v1", "message-ttl is not set");
    says(Severity::Refuse, rung, lost).await;
    let other = json!({
        "pattern": ".*", "definition": { "delivery-limit": 7, "dead-letter-exchange": "x" },
        "apply-to": "queues", "priority": 99,
    });
    let operator = ["policies", &vhost.name, "operator"];
    vhost.put(&operator, &other).await;
    let changed = "delivery-limit is 7 instead of 5";
    says(Severity::Warning, jobs, changed).await;
    vhost.delete("queues", results).await;
    let classic = json!({ "durable": true, "arguments": { "x-queue-type": "classic" } });
    vhost.put(&["queues", &vhost.name, results], &classic).await;
    let classic = "is of type classic, not quorum";
    says(Severity::Refuse, results, classic).await;
    let error = provision(&vhost.config, &[]).await.unwrap_err().to_string();
    for part in [
        "declaring the queue zkwhirl.results.v1",
        "drain it, delete it",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_can_do_its_work_and_not_more() {
    let vhost = Vhost::new().await;
    let user = |role: Role| User {
        name: format!("{}-{}", vhost.name, role.name()),
        password: "s3cret/+&%".into(),
        role,
    };
    let users = [user(Role::Bridge), user(Role::Worker), user(Role::Monitor)];
    provision(&vhost.config, &users).await.unwrap();
    let bridge = vhost.connect_as(&users[0]).await;
    let worker = vhost.connect_as(&users[1]).await;
    let job = claim_job(1);
    bridge.publish(&job, None).await.unwrap();
    let mut claims = join(&worker).await;
    let mut delivery = claims.claim().await.unwrap();
    let forged = worker.publish(&job, None).await.unwrap_err().to_string();
    assert!(forged.contains("ACCESS_REFUSED"), "{forged}");
    let result = result_of(&job, b"reply");
    worker.publish_result(&result).await.unwrap();
    assert!(delivery.settle(&Settlement::HandBack).await.unwrap());
    assert_eq!(claimed(&mut claims).await, job);
    let letter = DeadLetter::of(&job, "for the test", 7);
    worker.bury(&letter).await.unwrap();
    assert!(worker.dead_letters(1).await.is_err(), "not for workers");
    let mut results = bridge.results().await.unwrap();
    assert!(results.next().await.unwrap().ack().await.unwrap());
    assert_eq!(letters(&bridge).await.len(), 1);
    assert_eq!(bridge.depth(Topic::Inner).await.unwrap().ready, 0);
    let mut listening = worker.control_messages();
    listening.joined().await.unwrap();
    let message = Control::Cancel { job: job.id };
    bridge.send_control(&message).await.unwrap();
    assert_eq!(within("a control message", listening.next()).await, message);
    for user in &users {
        vhost.remove(&["users", &user.name]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_without_showing_it() {
    let vhost = Vhost::new().await;
    let wrong = vhost.url.replacen("zkwhirl:", "zkwhirl:s3cret", 1);
    let config = AmqpConfig {
        hosts: vec![wrong.parse().unwrap()],
        ..vhost.config.clone()
    };
    let error = not_ready(config, &["the user or the password is wrong"]).await;
    assert!(!error.contains("s3cret"), "{error}");
}
