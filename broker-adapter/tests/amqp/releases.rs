//! Messages of another release, on RabbitMQ's queues.

use std::time::Duration;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_broker_adapter::{
    Broker, DeadClass, DeadLetter,
    amqp::{AmqpBroker, provision::provision},
};
use zkwhirl_job::envelope::{JobEnvelope, Payload, VERSION};
use zkwhirl_testkit::{claim_job, eventually, result_of, until_some, within};

use crate::{
    support::{Vhost, claim, join, letters},
    wire::Wire,
};

const JOBS_RUNG: &str = "zkwhirl.retry.inner.10m.v1";
const RESULTS_RUNG: &str = "zkwhirl.retry.results.10m.v1";

fn of_another_release(bytes: &[u8]) -> Vec<u8> {
    let mut body = bytes.to_vec();
    body[0] = VERSION + 2;
    body
}

fn theirs() -> BasicProperties {
    let mut headers = FieldTable::default();
    let urgent = AMQPValue::LongString("urgent".into());
    headers.insert("theirs".into(), urgent);
    BasicProperties::default()
        .with_type("job".into())
        .with_message_id(claim_job(1).id.to_string().into())
        .with_headers(headers)
}

/// Waits for a message on a rung and returns it.
async fn on_rung(wire: &Wire, rung: &str) -> lapin::message::Delivery {
    until_some("the message", async || wire.take(rung).await).await
}

#[track_caller]
fn is_untouched(message: &lapin::message::Delivery, body: &[u8]) {
    assert_eq!(message.data, body);
    let (properties, theirs) = (&message.properties, theirs());
    assert_eq!(properties.kind(), theirs.kind());
    assert_eq!(properties.message_id(), theirs.message_id());
    let headers = properties.headers().as_ref().expect("headers").inner();
    let urgent = headers.get("theirs");
    assert_eq!(urgent, Some(&AMQPValue::LongString("urgent".into())));
    assert!(headers.contains_key("zkwhirl-unread-since"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_release_waits_with_its_body_headers_and_kind() {
    let (vhost, broker) = Vhost::with_broker().await;
    let wire = Wire::to(&vhost).await;
    let body = of_another_release(&claim_job(1).to_bytes());
    let mut worker = join(&broker).await;
    let claiming = tokio::spawn(async move { worker.claim().await.map(drop) });
    for key in ["inner.fee-payer", "10m.inner.fee-payer"] {
        wire.put_with("zkwhirl.jobs", key, &body, theirs()).await;
        let message = on_rung(&wire, JOBS_RUNG).await;
        assert_eq!(message.routing_key.as_str(), "10m.inner.fee-payer");
        is_untouched(&message, &body);
    }
    assert!(!claiming.is_finished(), "no worker was given it");
    assert_eq!(letters(&broker).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_another_release_wait_and_delay_no_good_one() {
    let (vhost, broker) = Vhost::with_broker().await;
    let wire = Wire::to(&vhost).await;
    let good = result_of(&claim_job(1), b"reply");
    let body = of_another_release(&good.to_bytes());
    let many = 65;
    for _ in 0..many {
        let put = wire.put_with("zkwhirl.results", "claim", &body, theirs());
        put.await;
    }
    broker.publish_result(&good).await.unwrap();
    let mut results = broker.results().await.unwrap();
    let mut next = within("a result", results.next()).await.unwrap();
    assert_eq!(next.result, good);
    assert!(next.ack().await.unwrap());
    for _ in 0..many {
        let message = on_rung(&wire, RESULTS_RUNG).await;
        assert_eq!(message.routing_key.as_str(), "10m.results.claim");
        is_untouched(&message, &body);
    }
    assert_eq!(letters(&broker).await, []);
}

/// A broker whose longest rung and patience are short.
async fn hasty() -> (Vhost, AmqpBroker) {
    let mut vhost = Vhost::empty().await;
    vhost.config.limits.delays[2] = Duration::from_millis(200);
    vhost.config.unread_limit = Duration::from_secs(2);
    let said = provision(&vhost.config, &[]).await;
    said.expect("the broker can be provisioned");
    let broker = vhost.connect().await;
    (vhost, broker)
}

async fn only_letter(broker: &AmqpBroker) -> DeadLetter {
    let dead = || async { letters(broker).await.len() == 1 };
    eventually("it is a dead letter", dead).await;
    letters(broker).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_comes_back_from_its_rung_until_it_is_a_dead_letter() {
    let (vhost, broker) = hasty().await;
    let wire = Wire::to(&vhost).await;
    let body = of_another_release(&claim_job(1).to_bytes());
    let (exchange, key) = ("zkwhirl.jobs", "inner.claim");
    wire.put_with(exchange, key, &body, theirs()).await;
    let mut worker = join(&broker).await;
    let _claiming = tokio::spawn(async move { worker.claim().await.map(drop) });
    let letter = only_letter(&broker).await;
    assert_eq!((letter.class, letter.kind), (DeadClass::Version, None));
    assert_eq!(letter.id, claim_job(1).id, "by the message's id");
    let says = "version 3, this release reads 1 to 2";
    assert!(letter.reason.ends_with(says), "{}", letter.reason);
    assert!(!broker.replay(letter.id).await.unwrap(), "not by this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_comes_back_from_its_rung_until_it_is_a_dead_letter() {
    let (vhost, broker) = hasty().await;
    let wire = Wire::to(&vhost).await;
    let body = of_another_release(&result_of(&claim_job(1), b"reply").to_bytes());
    wire.put_with("zkwhirl.results", "", &body, theirs()).await;
    let mut results = broker.results().await.unwrap();
    let _next = tokio::spawn(async move { results.next().await.map(drop) });
    assert_eq!(only_letter(&broker).await.class, DeadClass::Version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_reads_a_dead_letter_of_class_version_replays_it() {
    let (_vhost, broker) = Vhost::with_broker().await;
    let job = JobEnvelope {
        attempt: 3,
        ..claim_job(1)
    };
    let letter = DeadLetter {
        class: DeadClass::Version,
        kind: None,
        payload: Payload::Inline(job.to_bytes()),
        ..DeadLetter::of(&job, "an earlier release could not read it", 7)
    };
    broker.bury(&letter).await.unwrap();
    assert!(broker.replay(job.id).await.unwrap());
    let replayed = claim(&mut join(&broker).await).await;
    assert_eq!(replayed.job, claim_job(1));
}
